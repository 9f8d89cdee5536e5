/* From reset to main on any Cortex-M: vectors, coprocessors, .data and .bss. */
#include "cortex_m.h"
#include "esq_port.h"
#include "sections.h"
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
#define CPACR_CP10_CP11 0x00F00000u /* FPU and Helium: full access */

extern uint32_t esq_stack_top[]; /* the linker script's */

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

uint32_t esq_port_cpuid(void) { return ESQ_REGISTER(SCB_CPUID); }

/* A bootloader may have left interrupts on for which there is no handler here. */
static void silence_interrupts(void) {
    ESQ_REGISTER(SYST_CSR) = 0;
    for (uint32_t irq = 0; irq <= MAX_IRQ; irq += 32u) {
        ESQ_REGISTER(NVIC_ICER + irq / 8u) = 0xFFFFFFFFu;
    }
}

void esq_boot(void) {
    esq_paint_stack();
    silence_interrupts();
    ESQ_REGISTER(SCB_VTOR) = (uint32_t)&vectors;
    enable_coprocessors();
    esq_start_sections();
    (void)main();
    halt();
}
