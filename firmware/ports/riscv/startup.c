/* From reset to main on a RISC-V core: stack, .data and .bss, traps. */
#include "esq_port.h"
#include "sections.h"
#include "riscv.h"

#define CAUSE_MACHINE_EXTERNAL 0x8000000Bu /* RISC-V privileged spec, mcause */

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
    esq_paint_stack();
    ESQ_CSR_CLEAR("mstatus", ESQ_MSTATUS_MIE);
    ESQ_CSR_WRITE("mie", ESQ_MIE_EXTERNAL);
    ESQ_CSR_WRITE("mtvec", (uint32_t)&trap);
    esq_start_sections();
    (void)main();
    halt();
}
