/* The caches of a Cortex-M7: emptied, then switched on. Nothing moves data past them (no DMA). */
#include "cortex_m.h"

#define SCB_CCR ESQ_REGISTER(0xE000ED14u)
#define SCB_CCSIDR ESQ_REGISTER(0xE000ED80u)
#define SCB_CSSELR ESQ_REGISTER(0xE000ED84u)
#define SCB_ICIALLU ESQ_REGISTER(0xE000EF50u)
#define SCB_DCISW ESQ_REGISTER(0xE000EF60u)

#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)
#define DCISW_SET_AT 5u  /* lines of 32 bytes */
#define DCISW_WAY_AT 30u /* four ways */

static void barrier(void) { __asm__ volatile("dsb\n isb" ::: "memory"); }

static void forget_data_lines(void) {
    SCB_CSSELR = 0; /* level 1, data */
    barrier();
    uint32_t sizes = SCB_CCSIDR;
    uint32_t last_set = (sizes >> 13) & 0x7FFFu;
    uint32_t last_way = (sizes >> 3) & 0x3FFu;
    for (uint32_t set = 0; set <= last_set; set++) {
        for (uint32_t way = 0; way <= last_way; way++) {
            SCB_DCISW = (set << DCISW_SET_AT) | (way << DCISW_WAY_AT);
        }
    }
    barrier();
}

void esq_caches_start(void) {
    if (!(SCB_CCR & CCR_IC)) {
        barrier();
        SCB_ICIALLU = 0;
        barrier();
        SCB_CCR |= CCR_IC;
        barrier();
    }
    if (!(SCB_CCR & CCR_DC)) {
        forget_data_lines();
        SCB_CCR |= CCR_DC;
        barrier();
    }
}
