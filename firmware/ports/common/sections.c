/* The stack's paint, .data and .bss: alike on all cores but for the name of a move. */
#include "sections.h"

#include "esq_port.h"

#define STACK_PAINT 0xE5E5E5E5u
#define OWN_WORDS 16
#if defined(__riscv)
#define READ_SP "mv %0, sp"
#else
#define READ_SP "mov %0, sp"
#endif

/* The linker script's. */
extern uint32_t esq_stack_bottom[], esq_stack_top[];
extern uint32_t esq_data_start[], esq_data_end[], esq_bss_start[], esq_bss_end[];
extern const uint32_t esq_data_load[];

/* Volatile, lest the compiler calls memset. Some words below the stack pointer stay as they are:
 * the compiler may keep registers there after it has been read. */
void esq_paint_stack(void) {
    const uint32_t *sp;
    __asm__ volatile(READ_SP : "=r"(sp));
    for (volatile uint32_t *word = esq_stack_bottom; word < sp - OWN_WORDS; word++) {
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

void esq_start_sections(void) {
    const uint32_t *from = esq_data_load;
    for (uint32_t *to = esq_data_start; to < esq_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = esq_bss_start; to < esq_bss_end; to++) {
        *to = 0;
    }
}
