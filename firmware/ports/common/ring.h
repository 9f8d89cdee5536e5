/* What the ports of all cores share: a ring of received bytes, and divisors of a UART's clock. */
#ifndef ESQ_RING_H
#define ESQ_RING_H

#include <stdint.h>

/* Keeps a received byte for esq_port_read; drops it where the ring is full. From the interrupt. */
void esq_ring_put(uint8_t byte);

/* How many bytes the ring still takes. From the interrupt. */
uint32_t esq_ring_room(void);

/* Whether no received byte waits. */
int esq_ring_is_empty(void);

/* The divisor of clock_hz that comes to `baud` within 2 %; 0 where there is none of 16 or more. */
uint32_t esq_baud_divisor(uint32_t clock_hz, uint32_t baud);

#endif
