/* What every Cortex-M port shares: start-up code, interrupts, cycle counters. */
#ifndef ESQ_CORTEX_M_H
#define ESQ_CORTEX_M_H

#include "ring.h"

#include <stdint.h>

#ifndef ESQ_REGISTER /* a test of ports has registers of its own */
#define ESQ_REGISTER(address) (*(volatile uint32_t *)(address))
#endif

/* The port supplies it: takes every byte that the serial line has, with esq_ring_put. */
void esq_rx_interrupt(void);

/* Likewise, where there is USB and its port.h has ESQ_USB_IRQ, below ESQ_UART_RX_IRQ. */
void esq_usb_interrupt(void);

/* Starts the core's cycle counter; returns whether it counts: some cores and emulators lack it. */
int esq_cycles_start(void);

/* Cycles counted, wraps at 2^32. */
uint32_t esq_cycles(void);

/* Counts SysTick's clock, for cores without that counter: 24 bits in hardware, the rest by its
 * interrupt, which the port lets in: ESQ_SYSTICK_HANDLER in its port.h. */
#define ESQ_SYSTICK_CORE 4u      /* the core's clock */
#define ESQ_SYSTICK_REFERENCE 0u /* the chip's other one, as an eighth of the core's on STM32 */
void esq_systick_start(uint32_t clock);
uint32_t esq_systick_ticks(void); /* wraps at 2^32 */
void esq_systick_interrupt(void);

/* Switches on the caches of a Cortex-M7. */
void esq_caches_start(void);

/* Lets external interrupt `irq` through the NVIC. */
void esq_irq_enable(uint32_t irq);

#endif
