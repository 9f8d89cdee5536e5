/* STM32L475, L476 and L486; register names as in ST's RM0351. */
#ifndef ESQ_STM32L4_PORT_H
#define ESQ_STM32L4_PORT_H

#include "usart_isr.h"

#define ESQ_OSCILLATOR_HZ 4000000u /* MSI after a reset */
#define ESQ_GPIO_BASE 0x48000000u
#define ESQ_GPIO_ENABLE 0x4002104Cu /* RCC_AHB2ENR */
#define ESQ_SYSTICK_HANDLER esq_systick_interrupt

#endif
