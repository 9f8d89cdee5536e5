/* Stands in for the Pico SDK's. */
#ifndef HARDWARE_SYNC_H
#define HARDWARE_SYNC_H

#include <stdint.h>

#define __compiler_memory_barrier() __asm__ volatile("" ::: "memory")

void __wfi(void);
uint32_t save_and_disable_interrupts(void);
void restore_interrupts(uint32_t status);

#endif
