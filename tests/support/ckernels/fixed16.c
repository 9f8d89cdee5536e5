/* Writes, for all int16 from -32768 on, int16 of the logistic function and of tanh for 0 to 6
 * bits. */
#include "esq_fixed16.h"

#include <stdio.h>

int main(void) {
    for (int32_t value = INT16_MIN; value <= INT16_MAX; value++) {
        int16_t results[8] = {esq_logistic_16((int16_t)value)};
        for (uint32_t bits = 0; bits <= 6; bits++) {
            results[1 + bits] = esq_tanh_16((int16_t)value, bits);
        }
        fwrite(results, sizeof results, 1, stdout);
    }
    return 0;
}
