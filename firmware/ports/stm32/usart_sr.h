/* The USART of the STM32's first families (F1, F2, F4): one status, one data register; RM0090. */
#ifndef ESQ_USART_SR_H
#define ESQ_USART_SR_H

#define ESQ_USART_STATUS ESQ_REGISTER(ESQ_UART_BASE + 0x00u)   /* SR */
#define ESQ_USART_RECEIVED ESQ_REGISTER(ESQ_UART_BASE + 0x04u) /* DR */
#define ESQ_USART_TO_SEND ESQ_REGISTER(ESQ_UART_BASE + 0x04u)
#define ESQ_USART_DIVISOR ESQ_REGISTER(ESQ_UART_BASE + 0x08u) /* BRR */
#define ESQ_USART_CONTROL ESQ_REGISTER(ESQ_UART_BASE + 0x0Cu) /* CR1 */
#define ESQ_USART_UE (1u << 13)
#define ESQ_USART_FORGET_ERRORS() (void)0 /* reading SR, then DR, has */

#endif
