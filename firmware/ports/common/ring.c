/* Received bytes between the interrupt, which only writes `head`, and the program, which only
 * writes `tail`; both count without end, so that the whole ring is used. */
#include "ring.h"

#include "esq_port.h"

#define RING_BYTES 1024u /* two full frames and a bit; a power of two */

static uint8_t ring[RING_BYTES];
static volatile uint32_t head, tail;

void esq_ring_put(uint8_t byte) {
    uint32_t at = head;
    if (at - tail < RING_BYTES) {
        ring[at % RING_BYTES] = byte;
        __asm__ volatile("" ::: "memory"); /* the byte before the count */
        head = at + 1u;
    }
}

uint32_t esq_ring_room(void) { return RING_BYTES - (head - tail); }

int esq_port_read(void) {
    uint32_t at = tail;
    if (at == head) {
        return -1;
    }
    __asm__ volatile("" ::: "memory");
    uint8_t byte = ring[at % RING_BYTES];
    __asm__ volatile("" ::: "memory"); /* read before its place is given back */
    tail = at + 1u;
    return byte;
}

int esq_ring_is_empty(void) { return head == tail; }

uint32_t esq_port_rx_bytes(void) { return RING_BYTES; }
