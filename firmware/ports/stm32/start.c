/* The start of every STM32: clocks, ticks, serial line. */
#include "stm32.h"

#include "esq_port.h"
#include "port.h"

static uint8_t has_pll;

void esq_port_init(void) {
    has_pll = esq_stm32_start_clocks() != 0;
    esq_stm32_start_ticks();
    esq_stm32_start_uart();
}

uint32_t esq_stm32_core_hz(void) { return has_pll ? ESQ_CLOCK_HZ : ESQ_OSCILLATOR_HZ; }

uint32_t esq_stm32_uart_hz(void) { return has_pll ? ESQ_UART_CLOCK_HZ : ESQ_OSCILLATOR_HZ; }
