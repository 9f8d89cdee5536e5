/* The USART of the STM32's later families (F7, H7, L4, U5): flags cleared by a register; RM0385. */
#ifndef ESQ_USART_ISR_H
#define ESQ_USART_ISR_H

#define ESQ_USART_CONTROL ESQ_REGISTER(ESQ_UART_BASE + 0x00u)  /* CR1 */
#define ESQ_USART_DIVISOR ESQ_REGISTER(ESQ_UART_BASE + 0x0Cu)  /* BRR */
#define ESQ_USART_STATUS ESQ_REGISTER(ESQ_UART_BASE + 0x1Cu)   /* ISR */
#define ESQ_USART_CLEAR ESQ_REGISTER(ESQ_UART_BASE + 0x20u)    /* ICR */
#define ESQ_USART_RECEIVED ESQ_REGISTER(ESQ_UART_BASE + 0x24u) /* RDR */
#define ESQ_USART_TO_SEND ESQ_REGISTER(ESQ_UART_BASE + 0x28u)  /* TDR */
#define ESQ_USART_UE 1u
#define ESQ_USART_FORGET_ERRORS() (ESQ_USART_CLEAR = 0xFu) /* parity, framing, noise, overrun */

#endif
