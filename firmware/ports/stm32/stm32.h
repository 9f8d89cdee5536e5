/* What the STM32 families share: the start, pins and the USART. The target's defines say which they
 * are: ESQ_UART_BASE, ESQ_UART_RX_IRQ, ESQ_UART_ENABLE (RCC register and bit), ESQ_UART_CLOCK_HZ
 * (behind the PLL), ESQ_UART_AF; of both pins the port, A being 0, and the number. */
#ifndef ESQ_STM32_H
#define ESQ_STM32_H

#include <stdint.h>

/* The port supplies it: caches on, the core from its oscillator, at ESQ_OSCILLATOR_HZ, to the PLL.
 * Returns whether it runs on that. */
int esq_stm32_start_clocks(void);

/* The port supplies it: starts what esq_port_ticks counts. */
void esq_stm32_start_ticks(void);

/* What clocks the core now, in hertz. */
uint32_t esq_stm32_core_hz(void);

/* What clocks the USART now, in hertz. */
uint32_t esq_stm32_uart_hz(void);

/* Polls until (*where & mask) == value; returns whether it came within a few milliseconds. */
int esq_stm32_wait(volatile uint32_t *where, uint32_t mask, uint32_t value);

/* Pins and USART, 8N1, with an interrupt for every byte received. Once the clocks are set. */
void esq_stm32_start_uart(void);

#endif
