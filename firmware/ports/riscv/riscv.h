/* What every port of a RISC-V core without a supervisor mode shares: start-up, machine mode. */
#ifndef ESQ_RISCV_H
#define ESQ_RISCV_H

#include "ring.h"

#include <stdint.h>

#ifndef ESQ_REGISTER
#define ESQ_REGISTER(address) (*(volatile uint32_t *)(address))
#endif

#define ESQ_MSTATUS_MIE 8u          /* machine interrupts are taken */
#define ESQ_MIE_EXTERNAL (1u << 11) /* machine external interrupt: RISC-V privileged spec, mie */

/* Control and status registers, by name. Zicsr is named here and not in -march: compilers that know
 * no such extension of its own have no C library for that name. */
#define ESQ_CSR_READ(name, value)                                                                  \
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, " name "\n.option pop"          \
                     : "=r"(value)::"memory")
#define ESQ_CSR_WRITE(name, value)                                                                 \
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrw " name                              \
                     ", %0\n.option pop" ::"r"(value)                                              \
                     : "memory")
#define ESQ_CSR_SET(name, bits)                                                                    \
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrs " name                              \
                     ", %0\n.option pop" ::"r"(bits)                                               \
                     : "memory")
#define ESQ_CSR_CLEAR(name, bits)                                                                  \
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrc " name                              \
                     ", %0\n.option pop" ::"r"(bits)                                               \
                     : "memory")

/* The port supplies it: serves the machine external interrupt, takes every byte that came. */
void esq_rx_interrupt(void);

/* Instructions retired, the lower 32 bits of minstret. */
uint32_t esq_instructions(void);

#endif
