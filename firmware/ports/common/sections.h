/* What start-up does with the memories that the linker script lays out. */
#ifndef ESQ_SECTIONS_H
#define ESQ_SECTIONS_H

/* Fills what the stack has not reached, so that esq_port_stack_bytes can tell its deepest use. */
void esq_paint_stack(void);

/* Copies .data out of flash and clears .bss. */
void esq_start_sections(void);

#endif
