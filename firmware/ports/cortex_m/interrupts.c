/* Interrupts of a Cortex-M, and rest until one comes. */
#include "cortex_m.h"
#include "esq_port.h"

void esq_port_idle(void) {
    /* With interrupts masked, one that comes between the test and wfi still wakes. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (esq_ring_is_empty()) {
        __asm__ volatile("wfi");
    }
    __asm__ volatile("cpsie i" ::: "memory");
}

/* No timer would wake the core: it looks again at once. An emulator sees that it waits. */
void esq_port_pause(void) { __asm__ volatile("yield"); }

void esq_irq_enable(uint32_t irq) {
    ESQ_REGISTER(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u); /* NVIC_ISER */
}
