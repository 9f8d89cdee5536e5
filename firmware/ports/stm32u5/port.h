/* STM32U575 and U585 with TrustZone off, as delivered; register names as in ST's RM0456. */
#ifndef ESQ_STM32U5_PORT_H
#define ESQ_STM32U5_PORT_H

#include "usart_isr.h"

#define ESQ_OSCILLATOR_HZ 4000000u /* after a reset */
#define ESQ_GPIO_BASE 0x42020000u
#define ESQ_GPIO_ENABLE 0x46020C8Cu /* RCC_AHB2ENR1 */

#endif
