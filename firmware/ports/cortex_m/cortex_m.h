/* What every Cortex-M port shares: start-up code and a ring of received bytes. */
#ifndef ESQ_CORTEX_M_H
#define ESQ_CORTEX_M_H

#include <stdint.h>

#define ESQ_REGISTER(address) (*(volatile uint32_t *)(address))

/* The port supplies it: takes every byte that the serial line has, with esq_ring_put. */
void esq_rx_interrupt(void);

/* Keeps a received byte for esq_port_read; drops it where the ring is full. From the interrupt. */
void esq_ring_put(uint8_t byte);

/* Lets external interrupt `irq` through the NVIC. */
void esq_irq_enable(uint32_t irq);

#endif
