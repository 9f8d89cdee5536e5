/* What RP2040 and RP2350 share; their port.h says where things are. */
#ifndef ESQ_RP2_H
#define ESQ_RP2_H

#include <stdint.h>

/* Takes peripherals (bits of RESETS) out of reset and waits until they are. */
void esq_rp2_unreset(uint32_t bits);

/* Crystal, PLL and the clocks of core and UART: ESQ_CLOCK_HZ. */
void esq_rp2_start_clocks(void);

/* UART0 on GP0 and GP1, 8N1, with an interrupt for what comes. Once the clocks are set. */
void esq_rp2_start_uart(void);

#endif
