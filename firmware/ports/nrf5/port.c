/* nRF52840 and nRF51822: the UART without DMA, which both have and QEMU's microbit too. Pins come
 * from the target's TOML: ESQ_TX_PIN and ESQ_RX_PIN, 32 being P1.00. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"

#define READY_POLLS 1000000u

#define CLOCK_HFCLKSTART ESQ_REGISTER(0x40000000u)
#define CLOCK_HFCLKSTARTED ESQ_REGISTER(0x40000100u)
#define UART(offset) ESQ_REGISTER(0x40002000u + (offset))
#define UART_STARTRX UART(0x000u)
#define UART_STARTTX UART(0x008u)
#define UART_RXDRDY UART(0x108u)
#define UART_TXDRDY UART(0x11Cu)
#define UART_INTENSET UART(0x304u)
#define UART_ENABLE UART(0x500u)
#define UART_PSELRTS UART(0x508u)
#define UART_PSELTXD UART(0x50Cu)
#define UART_PSELCTS UART(0x510u)
#define UART_PSELRXD UART(0x514u)
#define UART_RXD UART(0x518u)
#define UART_TXD UART(0x51Cu)
#define UART_BAUDRATE UART(0x524u)
#define UART_CONFIG UART(0x56Cu)
#define GPIO(pin, offset) ESQ_REGISTER(0x50000000u + 0x300u * ((pin) / 32u) + (offset))
#define GPIO_OUTSET 0x508u
#define GPIO_PIN_CNF(pin) (0x700u + 4u * ((pin) % 32u))

#define NOT_CONNECTED 0xFFFFFFFFu
#define INT_RXDRDY (1u << 2)
#define ENABLE_UART 4u
#define PIN_OUTPUT 3u          /* output, input buffer off */
#define PIN_INPUT_PULL_UP 0xCu /* an open RX reads idle */

#ifdef __ARM_ARCH_6M__ /* no cycle counter: TIMER0, 32 bits at 16 MHz */
#define TIMER0(offset) ESQ_REGISTER(0x40008000u + (offset))

static void start_counter(void) {
    TIMER0(0x508u) = 3u; /* BITMODE: 32 bits */
    TIMER0(0x510u) = 0u; /* PRESCALER */
    TIMER0(0x00Cu) = 1u; /* CLEAR */
    TIMER0(0x000u) = 1u; /* START */
}

uint32_t esq_port_ticks(void) {
    TIMER0(0x040u) = 1u; /* CAPTURE[0] into CC[0] */
    return TIMER0(0x540u);
}
#else
#define NVMC_ICACHECNF ESQ_REGISTER(0x4001E540u)

static void start_counter(void) {
    NVMC_ICACHECNF = 1u;
    (void)esq_cycles_start();
}

uint32_t esq_port_ticks(void) { return esq_cycles(); }
#endif

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }

/* The crystal: a UART on the internal oscillator would be off by up to 6 %. */
static void start_crystal(void) {
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1u;
    for (uint32_t i = 0; i < READY_POLLS && !CLOCK_HFCLKSTARTED; i++) {
    }
}

/* The rates that are no more than 2 % off; 460,800 and 921,600 are off by 2.1 %. */
static uint32_t baudrate_of(uint32_t baud) {
    switch (baud) {
    case 115200u: return 0x01D7E000u;
    case 230400u: return 0x03AFB000u;
    case 1000000u: return 0x10000000u;
    default: return 0;
    }
}

static void start_uart(void) {
    GPIO(ESQ_TX_PIN, GPIO_OUTSET) = 1u << (ESQ_TX_PIN % 32u); /* high is idle */
    GPIO(ESQ_TX_PIN, GPIO_PIN_CNF(ESQ_TX_PIN)) = PIN_OUTPUT;
    GPIO(ESQ_RX_PIN, GPIO_PIN_CNF(ESQ_RX_PIN)) = PIN_INPUT_PULL_UP;
    UART_ENABLE = 0; /* a bootloader may have left UARTE on */
    UART_PSELTXD = ESQ_TX_PIN;
    UART_PSELRXD = ESQ_RX_PIN;
    UART_PSELRTS = NOT_CONNECTED;
    UART_PSELCTS = NOT_CONNECTED;
    UART_CONFIG = 0; /* 8N1, no flow control */
    UART_BAUDRATE = baudrate_of(ESQ_BAUD_DEFAULT);
    UART_ENABLE = ENABLE_UART;
    UART_RXDRDY = 0;
    UART_INTENSET = INT_RXDRDY;
    UART_STARTTX = 1u;
    UART_STARTRX = 1u;
    esq_irq_enable(ESQ_UART_RX_IRQ);
}

void esq_port_init(void) {
    start_crystal();
    start_counter();
    start_uart();
}

void esq_rx_interrupt(void) {
    while (UART_RXDRDY) {
        UART_RXDRDY = 0; /* before reading: the next byte of the FIFO sets it again */
        esq_ring_put((uint8_t)UART_RXD);
    }
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        UART_TXDRDY = 0;
        UART_TXD = bytes[i];
        while (!UART_TXDRDY) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
    }
}

int esq_port_holds_baud(uint32_t baud) { return baudrate_of(baud) != 0; }

/* No byte is waiting to be sent. */
void esq_port_set_baud(uint32_t baud) { UART_BAUDRATE = baudrate_of(baud); }
