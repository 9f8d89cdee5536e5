/* Received bytes between the interrupt, which only writes `head`, and the program, which only
 * writes `tail`; both count without end, so that the whole ring is used. */
#include "cortex_m.h"
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

uint32_t esq_port_rx_bytes(void) { return RING_BYTES; }

void esq_port_idle(void) {
    /* With interrupts masked, one that comes between the test and wfi still wakes. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (head == tail) {
        __asm__ volatile("wfi");
    }
    __asm__ volatile("cpsie i" ::: "memory");
}

/* No timer would wake the core: it looks again at once. An emulator sees that it waits. */
void esq_port_pause(void) { __asm__ volatile("yield"); }

void esq_irq_enable(uint32_t irq) {
    ESQ_REGISTER(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u); /* NVIC_ISER */
}
