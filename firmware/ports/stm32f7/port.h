/* STM32F74x and F75x; register names as in ST's RM0385. */
#ifndef ESQ_STM32F7_PORT_H
#define ESQ_STM32F7_PORT_H

#include "usart_isr.h"

#define ESQ_OSCILLATOR_HZ 16000000u
#define ESQ_GPIO_BASE 0x40020000u
#define ESQ_GPIO_ENABLE 0x40023830u /* RCC_AHB1ENR */

#endif
