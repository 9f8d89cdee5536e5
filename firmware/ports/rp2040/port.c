/* RP2040, core 0. A Cortex-M0+ has no cycle counter: the timer counts microseconds. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "rp2.h"

#define TIMER_TIMERAWL ESQ_REGISTER(0x40054028u)
#define WATCHDOG_TICK ESQ_REGISTER(0x4005802Cu)

#define TICK_ENABLE (1u << 9)
#define TICK_CYCLES 12u /* of the crystal: 1 MHz */

void esq_port_init(void) {
    esq_rp2_start_clocks();
    WATCHDOG_TICK = TICK_ENABLE | TICK_CYCLES;
    esq_rp2_unreset(ESQ_RESET_TIMER);
    esq_rp2_start_uart();
}

uint32_t esq_port_ticks(void) { return TIMER_TIMERAWL; }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
