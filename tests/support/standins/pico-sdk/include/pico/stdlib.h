/* Stands in for the Pico SDK's: what the examples use. */
#ifndef PICO_STDLIB_H
#define PICO_STDLIB_H

#include <stdint.h>

typedef unsigned int uint;

#define GPIO_FUNC_UART 2
#define PICO_DEFAULT_UART_TX_PIN 0u
#define PICO_DEFAULT_UART_RX_PIN 1u

int stdio_init_all(void);
void gpio_set_function(uint gpio, int fn);
void gpio_pull_up(uint gpio);
void sleep_ms(uint32_t ms);
uint32_t time_us_32(void);

#endif
