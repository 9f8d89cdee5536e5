/* STM32F4 and F2; register names as in ST's RM0090. */
#ifndef ESQ_STM32F4_PORT_H
#define ESQ_STM32F4_PORT_H

#include "usart_sr.h"

#define ESQ_OSCILLATOR_HZ 16000000u
#define ESQ_GPIO_BASE 0x40020000u
#define ESQ_GPIO_ENABLE 0x40023830u /* RCC_AHB1ENR */

#endif
