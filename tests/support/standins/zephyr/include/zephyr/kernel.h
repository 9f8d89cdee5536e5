/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API. */
#ifndef STANDIN_KERNEL_H
#define STANDIN_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t ticks;
} k_timeout_t;

struct k_sem {
    unsigned int count;
    unsigned int limit;
};

#define K_NO_WAIT ((k_timeout_t){0})
#define K_FOREVER ((k_timeout_t){-1})
#define K_MSEC(ms) ((k_timeout_t){(ms)})
#define K_SEM_DEFINE(name, initial, most) struct k_sem name = {initial, most}

void k_sem_give(struct k_sem *sem);
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
int32_t k_msleep(int32_t ms);
uint32_t k_cycle_get_32(void);
int sys_clock_hw_cycles_per_sec(void);

#endif
