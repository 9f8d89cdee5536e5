/* Arm's MPS2 and MPS3 boards: CMSDK UART0, FPGAIO counter. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"

#define UART_DATA ESQ_REGISTER(ESQ_UART_BASE + 0x00u)
#define UART_STATE ESQ_REGISTER(ESQ_UART_BASE + 0x04u)
#define UART_CTRL ESQ_REGISTER(ESQ_UART_BASE + 0x08u)
#define UART_INTCLEAR ESQ_REGISTER(ESQ_UART_BASE + 0x0Cu)
#define UART_BAUDDIV ESQ_REGISTER(ESQ_UART_BASE + 0x10u)
#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define CTRL_TX_RX_RXIRQ 0xBu
#define INT_RX 2u

#define FPGAIO_COUNTER ESQ_REGISTER(ESQ_FPGAIO_BASE + 0x18u)

void esq_port_init(void) {
    esq_port_set_baud(ESQ_BAUD_DEFAULT);
    UART_CTRL = CTRL_TX_RX_RXIRQ;
    esq_irq_enable(ESQ_UART_RX_IRQ);
}

void esq_rx_interrupt(void) {
    while (UART_STATE & STATE_RX_FULL) {
        UART_INTCLEAR = INT_RX; /* first, or a byte that comes now would not interrupt */
        esq_ring_put((uint8_t)UART_DATA);
    }
    UART_INTCLEAR = INT_RX;
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        while (UART_STATE & STATE_TX_FULL) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
        UART_DATA = bytes[i];
    }
}

int esq_port_holds_baud(uint32_t baud) { return esq_baud_divisor(ESQ_UART_CLOCK_HZ, baud) != 0; }

void esq_port_set_baud(uint32_t baud) {
    /* The UART does not say when its last byte has left: wait for two at the default rate. */
    uint32_t start = esq_port_ticks();
    while ((UART_STATE & STATE_TX_FULL) ||
           esq_port_ticks() - start < esq_port_tick_hz() / (ESQ_BAUD_DEFAULT / 20u)) {
        if (esq_port_ticks() - start > esq_port_tick_hz()) {
            break;
        }
    }
    UART_BAUDDIV = esq_baud_divisor(ESQ_UART_CLOCK_HZ, baud);
}

uint32_t esq_port_ticks(void) { return FPGAIO_COUNTER; }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
