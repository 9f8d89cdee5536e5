/* From reset to main on a RISC-V core: stack, .data and .bss, traps. */
#include "esq_port.h"
#include "riscv.h"

#define CAUSE_MACHINE_EXTERNAL 0x8000000Bu /* RISC-V privileged spec, mcause */
#define STACK_PAINT 0xE5E5E5E5u

/* The linker script's. */
extern uint32_t esq_stack_bottom[], esq_stack_top[];
extern uint32_t esq_data_start[], esq_data_end[], esq_bss_start[], esq_bss_end[];
extern const uint32_t esq_data_load[];

int main(void);
void esq_reset(void);
void esq_boot(void);

/* The first code of the image. The calling convention wants a stack pointer that is a multiple of
 * 16, and gp for what the linker addresses by it. */
__attribute__((naked, used, section(".boot"))) void esq_reset(void) {
    __asm__ volatile(".option push\n"
                     ".option norelax\n"
                     "la gp, __global_pointer$\n"
                     ".option pop\n"
                     "la sp, esq_stack_top\n"
                     "andi sp, sp, -16\n"
                     "j esq_boot\n");
}

/* A fault stops the board; the host notices the silence. */
static void halt(void) {
    for (;;) {
        __asm__ volatile("wfi");
    }
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
    uint32_t cause;
    ESQ_CSR_READ("mcause", cause);
    if (cause != CAUSE_MACHINE_EXTERNAL) {
        halt();
    }
    esq_rx_interrupt();
}

/* Fills what the stack has not reached, so that its deepest use can be seen later. Volatile, lest
 * the compiler calls memset, which would paint over its own return address. */
static void paint_stack(void) {
    uint32_t *end;
    __asm__ volatile("mv %0, sp" : "=r"(end));
    for (volatile uint32_t *word = esq_stack_bottom; word < end; word++) {
        *word = STACK_PAINT;
    }
}

uint32_t esq_port_stack_bytes(void) {
    const uint32_t *word = esq_stack_bottom;
    while (word < esq_stack_top && *word == STACK_PAINT) {
        word++;
    }
    return (uint32_t)(esq_stack_top - word) * 4u;
}

uint32_t esq_port_cpuid(void) {
    uint32_t misa;
    ESQ_CSR_READ("misa", misa);
    return misa;
}

uint32_t esq_instructions(void) {
    uint32_t count;
    ESQ_CSR_READ("minstret", count);
    return count;
}

void esq_port_idle(void) {
    /* wfi wakes for a pending interrupt even while none is taken: none is missed in between. */
    ESQ_CSR_CLEAR("mstatus", ESQ_MSTATUS_MIE);
    if (esq_ring_is_empty()) {
        __asm__ volatile("wfi" ::: "memory");
    }
    ESQ_CSR_SET("mstatus", ESQ_MSTATUS_MIE);
}

/* No timer would wake the core: it looks again at once. */
void esq_port_pause(void) {}

void esq_boot(void) {
    paint_stack();
    ESQ_CSR_CLEAR("mstatus", ESQ_MSTATUS_MIE);
    ESQ_CSR_WRITE("mie", ESQ_MIE_EXTERNAL);
    ESQ_CSR_WRITE("mtvec", (uint32_t)&trap);
    const uint32_t *from = esq_data_load;
    for (uint32_t *to = esq_data_start; to < esq_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = esq_bss_start; to < esq_bss_end; to++) {
        *to = 0;
    }
    (void)main();
    halt();
}
