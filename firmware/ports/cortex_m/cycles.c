/* The core's cycle counter, part of its debug unit (DWT): ARMv7-M and ARMv8-M mainline. */
#include "cortex_m.h"

#define DEMCR ESQ_REGISTER(0xE000EDFCu)
#define DWT_CTRL ESQ_REGISTER(0xE0001000u)
#define DWT_CYCCNT ESQ_REGISTER(0xE0001004u)
#define DWT_LAR ESQ_REGISTER(0xE0001FB0u)

#define DEMCR_TRCENA (1u << 24)
#define CTRL_CYCCNTENA 1u
#define LAR_KEY 0xC5ACCE55u /* Cortex-M7 keeps the unit locked; others ignore it */

int esq_cycles_start(void) {
    DEMCR |= DEMCR_TRCENA;
    DWT_LAR = LAR_KEY;
    DWT_CTRL |= CTRL_CYCCNTENA;
    uint32_t start = DWT_CYCCNT;
    __asm__ volatile("nop\n nop\n nop\n nop");
    return DWT_CYCCNT != start;
}

uint32_t esq_cycles(void) { return DWT_CYCCNT; }
