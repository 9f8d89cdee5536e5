/* STM32F405 and its kin; register names as in ST's RM0090. */
#ifndef ESQ_STM32F4_PORT_H
#define ESQ_STM32F4_PORT_H

#define ESQ_UART_RX_IRQ 37u /* USART1 */

#endif
