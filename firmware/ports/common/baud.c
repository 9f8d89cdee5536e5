#include "ring.h"

#define SAMPLES_PER_BIT 16u
#define SLOWEST_BAUD 9600u /* of 480 MHz: a divisor of 16 bits */
#define TOLERANCE 50u      /* 1 / 50 */

uint32_t esq_baud_divisor(uint32_t clock_hz, uint32_t baud) {
    if (baud < SLOWEST_BAUD || baud > clock_hz / SAMPLES_PER_BIT) {
        return 0;
    }
    uint32_t divisor = (clock_hz + baud / 2u) / baud;
    uint32_t wanted = divisor * baud; /* of a clock that would come to exactly that */
    uint32_t error = wanted > clock_hz ? wanted - clock_hz : clock_hz - wanted;
    return error <= clock_hz / TOLERANCE ? divisor : 0;
}
