/* What every Cortex-M port shares: start-up code and a ring of received bytes. */
#ifndef ESQ_CORTEX_M_H
#define ESQ_CORTEX_M_H

#include <stdint.h>

#ifndef ESQ_REGISTER /* a test of ports has registers of its own */
#define ESQ_REGISTER(address) (*(volatile uint32_t *)(address))
#endif

/* The port supplies it: takes every byte that the serial line has, with esq_ring_put. */
void esq_rx_interrupt(void);

/* Keeps a received byte for esq_port_read; drops it where the ring is full. From the interrupt. */
void esq_ring_put(uint8_t byte);

/* The divisor of clock_hz that comes to `baud` within 2 %; 0 where there is none of 16 or more. */
uint32_t esq_baud_divisor(uint32_t clock_hz, uint32_t baud);

/* Starts the core's cycle counter; returns whether it counts: some cores and emulators lack it. */
int esq_cycles_start(void);

/* Cycles counted, wraps at 2^32. */
uint32_t esq_cycles(void);

/* Switches on the caches of a Cortex-M7. */
void esq_caches_start(void);

/* Lets external interrupt `irq` through the NVIC. */
void esq_irq_enable(uint32_t irq);

#endif
