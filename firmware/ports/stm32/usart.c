/* The serial line of every STM32: pins by the GPIO, bytes by a USART. */
#include "stm32.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "port.h"

#define READY_POLLS 100000u

#define GPIO(port, offset) ESQ_REGISTER(ESQ_GPIO_BASE + 0x400u * (port) + (offset))
#define MODER 0x00u
#define PUPDR 0x0Cu
#define AFR(pin) (0x20u + 4u * ((pin) / 8u)) /* AFRL, AFRH */
#define MODE_ALTERNATE 2u
#define PULL_UP 1u

#define STATUS_ORE (1u << 3)
#define STATUS_RXNE (1u << 5)
#define STATUS_TC (1u << 6)
#define STATUS_TXE (1u << 7)
#define CONTROL_RXNEIE_TE_RE 0x2Cu

int esq_stm32_wait(volatile uint32_t *where, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < READY_POLLS; i++) {
        if ((*where & mask) == value) {
            return 1;
        }
    }
    return 0;
}

static void set_field(volatile uint32_t *where, uint32_t at, uint32_t bits, uint32_t value) {
    uint32_t mask = ((1u << bits) - 1u) << at;
    *where = (*where & ~mask) | (value << at);
}

static void connect_pin(uint32_t port, uint32_t pin) {
    ESQ_REGISTER(ESQ_GPIO_ENABLE) |= 1u << port;
    (void)ESQ_REGISTER(ESQ_GPIO_ENABLE); /* the clock runs two cycles after the write */
    set_field(&GPIO(port, AFR(pin)), 4u * (pin % 8u), 4, ESQ_UART_AF);
    set_field(&GPIO(port, PUPDR), 2u * pin, 2, PULL_UP); /* an open RX reads idle */
    set_field(&GPIO(port, MODER), 2u * pin, 2, MODE_ALTERNATE);
}

/* The later families take a divisor only while the USART is off. */
static void start_at(uint32_t baud) {
    ESQ_USART_CONTROL = 0;
    ESQ_USART_DIVISOR = esq_baud_divisor(esq_stm32_uart_hz(), baud);
    ESQ_USART_CONTROL = ESQ_USART_UE | CONTROL_RXNEIE_TE_RE;
}

void esq_stm32_start_uart(void) {
    connect_pin(ESQ_TX_PORT, ESQ_TX_PIN);
    connect_pin(ESQ_RX_PORT, ESQ_RX_PIN);
    ESQ_REGISTER(ESQ_UART_ENABLE) |= 1u << ESQ_UART_ENABLE_BIT;
    (void)ESQ_REGISTER(ESQ_UART_ENABLE);
    start_at(ESQ_BAUD_DEFAULT);
    esq_irq_enable(ESQ_UART_RX_IRQ);
}

void esq_rx_interrupt(void) {
    uint32_t status = ESQ_USART_STATUS;
    while (status & (STATUS_RXNE | STATUS_ORE)) {
        uint8_t byte = (uint8_t)ESQ_USART_RECEIVED;
        if (status & STATUS_RXNE) {
            esq_ring_put(byte);
        }
        ESQ_USART_FORGET_ERRORS();
        status = ESQ_USART_STATUS;
    }
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        while (!(ESQ_USART_STATUS & STATUS_TXE)) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
        ESQ_USART_TO_SEND = bytes[i];
    }
}

int esq_port_holds_baud(uint32_t baud) { return esq_baud_divisor(esq_stm32_uart_hz(), baud) != 0; }

void esq_port_set_baud(uint32_t baud) {
    uint32_t start = esq_port_ticks();
    while (!(ESQ_USART_STATUS & STATUS_TC) && esq_port_ticks() - start <= esq_port_tick_hz()) {
    }
    start_at(baud);
}
