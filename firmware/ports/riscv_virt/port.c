/* QEMU's RISC-V machine `virt`: UART NS16550A, interrupts by the PLIC, minstret as the counter. */
#include "port.h"

#include "esq_port.h"
#include "riscv.h"

#define UART(at) (*(volatile uint8_t *)(ESQ_UART_BASE + (at)))
#define UART_DATA UART(0u)         /* while LCR_DLAB is 0 */
#define UART_IER UART(1u)          /* likewise */
#define UART_DIVISOR_LOW UART(0u)  /* while it is 1 */
#define UART_DIVISOR_HIGH UART(1u) /* likewise */
#define UART_FCR UART(2u)
#define UART_LCR UART(3u)
#define UART_LSR UART(5u)

#define IER_RX 1u
#define FCR_ON_AND_EMPTIED 7u
#define LCR_8N1 3u
#define LCR_DLAB 0x80u
#define LSR_RX_READY 1u
#define LSR_TX_EMPTY 0x20u
#define LSR_TX_IDLE 0x40u

/* Of hart 0 in machine mode: context 0. */
#define PLIC_PRIORITY(irq) ESQ_REGISTER(ESQ_PLIC_BASE + 4u * (irq))
#define PLIC_ENABLE(irq) ESQ_REGISTER(ESQ_PLIC_BASE + 0x2000u + 4u * ((irq) / 32u))
#define PLIC_THRESHOLD ESQ_REGISTER(ESQ_PLIC_BASE + 0x200000u)
#define PLIC_CLAIM ESQ_REGISTER(ESQ_PLIC_BASE + 0x200004u)

#define SAMPLES_PER_BIT 16u
#define MAX_DIVISOR 0xFFFFu
#define TOLERANCE 50u /* 1 / 50 */

/* Of the rate that the UART has at most; 0 where no divisor comes to `baud` within 2 %. */
static uint32_t divisor_of(uint32_t baud) {
    uint32_t fastest = ESQ_UART_CLOCK_HZ / SAMPLES_PER_BIT;
    if (baud == 0 || baud > fastest) {
        return 0;
    }
    uint32_t divisor = (fastest + baud / 2u) / baud;
    uint32_t wanted = divisor * baud; /* of a fastest rate that would come to exactly that */
    uint32_t error = wanted > fastest ? wanted - fastest : fastest - wanted;
    return error <= fastest / TOLERANCE && divisor <= MAX_DIVISOR ? divisor : 0;
}

static void start_at(uint32_t baud) {
    uint32_t divisor = divisor_of(baud);
    UART_LCR = LCR_DLAB | LCR_8N1;
    UART_DIVISOR_LOW = (uint8_t)divisor;
    UART_DIVISOR_HIGH = (uint8_t)(divisor >> 8);
    UART_LCR = LCR_8N1;
}

void esq_port_init(void) {
    start_at(ESQ_BAUD_DEFAULT);
    UART_FCR = FCR_ON_AND_EMPTIED;
    UART_IER = IER_RX;
    PLIC_PRIORITY(ESQ_UART_RX_IRQ) = 1u;
    PLIC_ENABLE(ESQ_UART_RX_IRQ) = 1u << (ESQ_UART_RX_IRQ % 32u);
    PLIC_THRESHOLD = 0;
    ESQ_CSR_SET("mstatus", ESQ_MSTATUS_MIE);
}

void esq_rx_interrupt(void) {
    uint32_t irq = PLIC_CLAIM;
    while (UART_LSR & LSR_RX_READY) {
        esq_ring_put(UART_DATA);
    }
    PLIC_CLAIM = irq;
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        while (!(UART_LSR & LSR_TX_EMPTY)) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
        UART_DATA = bytes[i];
    }
}

int esq_port_holds_baud(uint32_t baud) { return divisor_of(baud) != 0; }

void esq_port_set_baud(uint32_t baud) {
    uint32_t start = esq_port_ticks();
    while (!(UART_LSR & LSR_TX_IDLE) && esq_port_ticks() - start <= esq_port_tick_hz()) {
    }
    start_at(baud);
}

uint32_t esq_port_ticks(void) { return esq_instructions(); }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
