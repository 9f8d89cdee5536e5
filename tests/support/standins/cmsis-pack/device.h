/* Stands in for a device's header of CMSIS-Core: what the port uses. */
#ifndef STANDIN_DEVICE_H
#define STANDIN_DEVICE_H

#include <stdint.h>

struct standin_scb {
    uint32_t CPUID;
};

extern struct standin_scb *SCB;
extern uint32_t SystemCoreClock;

void SystemCoreClockUpdate(void);
void __disable_irq(void);
void __enable_irq(void);
void __WFI(void);

#endif
