/* UART0 of RP2040 and RP2350, Arm's PL011, on GP0 (TX) and GP1 (RX). */
#include "cortex_m.h"
#include "esq_port.h"
#include "port.h"
#include "rp2.h"

#define GPIO_CTRL(pin) ESQ_REGISTER(ESQ_IO_BANK0_BASE + 8u * (pin) + 4u)
#define PAD(pin) ESQ_REGISTER(ESQ_PADS_BANK0_BASE + 4u * (pin) + 4u)
#define UART_DR ESQ_REGISTER(ESQ_UART0_BASE + 0x00u)
#define UART_FR ESQ_REGISTER(ESQ_UART0_BASE + 0x18u)
#define UART_IBRD ESQ_REGISTER(ESQ_UART0_BASE + 0x24u)
#define UART_FBRD ESQ_REGISTER(ESQ_UART0_BASE + 0x28u)
#define UART_LCR_H ESQ_REGISTER(ESQ_UART0_BASE + 0x2Cu)
#define UART_CR ESQ_REGISTER(ESQ_UART0_BASE + 0x30u)
#define UART_IFLS ESQ_REGISTER(ESQ_UART0_BASE + 0x34u)
#define UART_IMSC ESQ_REGISTER(ESQ_UART0_BASE + 0x38u)
#define UART_ICR ESQ_REGISTER(ESQ_UART0_BASE + 0x44u)

#define TX_PIN 0u
#define RX_PIN 1u
#define FUNCTION_UART 2u
#define PAD_PULL_UP_INPUT_4_MA 0x5Au /* IE, DRIVE 1, PUE, SCHMITT; no PDE, no ISO */
#define SAMPLES_PER_BIT 16u
#define FR_BUSY (1u << 3)
#define FR_RX_EMPTY (1u << 4)
#define FR_TX_FULL (1u << 5)
#define LCR_8N1_FIFO 0x70u
#define CR_TX_RX_ON 0x301u
#define IFLS_RX_EIGHTH 0u
#define INT_RX_AND_TIMEOUT ((1u << 4) | (1u << 6))

static void connect_pin(uint32_t pin) {
    PAD(pin) = PAD_PULL_UP_INPUT_4_MA;
    GPIO_CTRL(pin) = FUNCTION_UART;
}

/* In 64ths, as the two registers take it; 0 where it cannot be. */
static uint32_t divisor_of(uint32_t baud) {
    return baud > ESQ_CLOCK_HZ / SAMPLES_PER_BIT ? 0 : esq_baud_divisor(4u * ESQ_CLOCK_HZ, baud);
}

static void start_at(uint32_t baud) {
    uint32_t divisor = divisor_of(baud);
    UART_CR = 0;
    UART_LCR_H = 0; /* empties the FIFOs */
    UART_IBRD = divisor / 64u;
    UART_FBRD = divisor % 64u;
    UART_LCR_H = LCR_8N1_FIFO; /* takes the divisor over */
    UART_CR = CR_TX_RX_ON;
}

void esq_rp2_start_uart(void) {
    esq_rp2_unreset(ESQ_RESET_IO_BANK0 | ESQ_RESET_PADS_BANK0 | ESQ_RESET_UART0);
    UART_IFLS = IFLS_RX_EIGHTH;
    UART_IMSC = INT_RX_AND_TIMEOUT;
    start_at(ESQ_BAUD_DEFAULT);
    connect_pin(TX_PIN);
    connect_pin(RX_PIN);
    esq_irq_enable(ESQ_UART_RX_IRQ);
}

void esq_rx_interrupt(void) {
    UART_ICR = INT_RX_AND_TIMEOUT;
    while (!(UART_FR & FR_RX_EMPTY)) {
        esq_rp2_take((uint8_t)UART_DR, 0);
    }
}

void esq_rp2_uart_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        while (UART_FR & FR_TX_FULL) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
        UART_DR = bytes[i];
    }
}

int esq_rp2_uart_holds_baud(uint32_t baud) { return divisor_of(baud) != 0; }

void esq_rp2_uart_set_baud(uint32_t baud) {
    uint32_t start = esq_port_ticks();
    while ((UART_FR & FR_BUSY) && esq_port_ticks() - start <= esq_port_tick_hz()) {
    }
    start_at(baud);
}
