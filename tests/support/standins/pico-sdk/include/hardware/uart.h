/* Stands in for the Pico SDK's. */
#ifndef HARDWARE_UART_H
#define HARDWARE_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uart_inst uart_inst_t;

extern uart_inst_t *const uart_default;

#define UART_IRQ_NUM(uart) ((void)(uart), 20u)

unsigned int uart_init(uart_inst_t *uart, unsigned int baudrate);
unsigned int uart_set_baudrate(uart_inst_t *uart, unsigned int baudrate);
void uart_set_irqs_enabled(uart_inst_t *uart, bool rx_has_data, bool tx_needs_data);
bool uart_is_readable(uart_inst_t *uart);
char uart_getc(uart_inst_t *uart);
void uart_write_blocking(uart_inst_t *uart, const uint8_t *src, size_t len);
void uart_tx_wait_blocking(uart_inst_t *uart);

#endif
