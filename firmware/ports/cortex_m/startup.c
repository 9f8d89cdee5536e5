/* From reset to main on any Cortex-M: vectors, coprocessors, .data and .bss. */
#include "cortex_m.h"
#include "esq_port.h"
#include "port.h"

#define SYST_CSR 0xE000E010u
#define NVIC_ICER 0xE000E180u
#define SCB_CPUID 0xE000ED00u
#define SCB_VTOR 0xE000ED08u
#define SCB_CPACR 0xE000ED88u
#define MAX_IRQ 239u        /* ARMv7-M's most; a core ignores those that it lacks */
#ifndef ESQ_SYSTICK_HANDLER /* a port that counts cycles by SysTick has one in its port.h */
#define ESQ_SYSTICK_HANDLER halt
#endif
#define STACK_PAINT 0xE5E5E5E5u
#define CPACR_CP10_CP11 0x00F00000u /* FPU and Helium: full access */

/* The linker script's. */
extern uint32_t esq_stack_bottom[], esq_stack_top[];
extern uint32_t esq_data_start[], esq_data_end[], esq_bss_start[], esq_bss_end[];
extern const uint32_t esq_data_load[];

int main(void);
void esq_reset(void);
void esq_boot(void);

/* A fault stops the board; the host notices the silence. */
static void halt(void) {
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static const struct {
    uint32_t *stack;
    void (*handlers[15 + ESQ_UART_RX_IRQ + 1])(void);
} vectors __attribute__((section(".vectors"), used, aligned(512))) = {
    .stack = esq_stack_top,
    .handlers =
        {
            /* reset, NMI and faults, SVC to SysTick */
            esq_reset,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            halt,
            ESQ_SYSTICK_HANDLER,
#ifdef ESQ_USB_IRQ
            [15 + ESQ_USB_IRQ] = esq_usb_interrupt,
#endif
            [15 + ESQ_UART_RX_IRQ] = esq_rx_interrupt,
        },
};

/* Sets the stack pointer itself: a loader that jumps to the entry point has not. */
__attribute__((naked)) void esq_reset(void) {
    __asm__ volatile("ldr r0, =esq_stack_top\n"
                     "mov sp, r0\n"
                     "bl esq_boot\n");
}

static void enable_coprocessors(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    ESQ_REGISTER(SCB_CPACR) |= CPACR_CP10_CP11;
#endif
    __asm__ volatile("dsb\n isb" ::: "memory");
}

/* Fills what the stack has not reached, so that its deepest use can be seen later. Volatile, lest
 * the compiler calls memset, which would paint over its own return address. */
static void paint_stack(void) {
    uint32_t *end;
    __asm__ volatile("mov %0, sp" : "=r"(end));
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

uint32_t esq_port_cpuid(void) { return ESQ_REGISTER(SCB_CPUID); }

/* A bootloader may have left interrupts on for which there is no handler here. */
static void silence_interrupts(void) {
    ESQ_REGISTER(SYST_CSR) = 0;
    for (uint32_t irq = 0; irq <= MAX_IRQ; irq += 32u) {
        ESQ_REGISTER(NVIC_ICER + irq / 8u) = 0xFFFFFFFFu;
    }
}

void esq_boot(void) {
    paint_stack();
    silence_interrupts();
    ESQ_REGISTER(SCB_VTOR) = (uint32_t)&vectors;
    enable_coprocessors();
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
