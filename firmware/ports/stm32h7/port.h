/* STM32H742, H743 and H753; register names as in ST's RM0433. */
#ifndef ESQ_STM32H7_PORT_H
#define ESQ_STM32H7_PORT_H

#include "usart_isr.h"

#define ESQ_OSCILLATOR_HZ 64000000u
#define ESQ_GPIO_BASE 0x58020000u
#define ESQ_GPIO_ENABLE 0x580244E0u /* RCC_AHB4ENR */

#endif
