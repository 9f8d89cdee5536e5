/* The functions of esq_port.h over the board's USB and its default UART: it answers where the last
 * byte came from. */
#include "hardware/clocks.h"
#include "hardware/irq.h"
#include "hardware/sync.h"
#include "hardware/uart.h"
#include "pico/stdio/driver.h"
#include "pico/stdio_usb.h"
#include "pico/stdlib.h"
#include "tusb.h"

#include "esq_port.h"

#define RING_BYTES 1024u /* of the UART, a power of two; USB holds the host back instead */
#define PACKET_BYTES 64
#define SAMPLES_PER_BIT 16u
#define PAUSE_MS 1u

/* Both count without end: the interrupt writes `head` alone, the program `tail`. */
static uint8_t ring[RING_BYTES];
static volatile uint32_t head, tail;

static struct {
    char bytes[PACKET_BYTES];
    int n_bytes, n_taken;
} packet;
static int is_on_usb;

static void on_uart(void) {
    while (uart_is_readable(uart_default)) {
        const uint8_t byte = (uint8_t)uart_getc(uart_default);
        if (head - tail < RING_BYTES) {
            ring[head % RING_BYTES] = byte;
            __compiler_memory_barrier();
            head = head + 1u;
        }
    }
}

void esq_port_init(void) {
    const uint irq = UART_IRQ_NUM(uart_default);
    stdio_init_all();
    gpio_set_function(PICO_DEFAULT_UART_TX_PIN, GPIO_FUNC_UART);
    gpio_set_function(PICO_DEFAULT_UART_RX_PIN, GPIO_FUNC_UART);
    gpio_pull_up(PICO_DEFAULT_UART_RX_PIN); /* a pin that nothing drives must not be a start bit */
    uart_init(uart_default, ESQ_BAUD_DEFAULT);
    irq_set_exclusive_handler(irq, on_uart);
    irq_set_enabled(irq, true);
    uart_set_irqs_enabled(uart_default, true, false);
}

static int read_uart(void) {
    uint8_t byte;
    if (tail == head) {
        return -1;
    }
    __compiler_memory_barrier();
    byte = ring[tail % RING_BYTES];
    __compiler_memory_barrier(); /* read before its place is given back */
    tail = tail + 1u;
    is_on_usb = 0;
    return byte;
}

static int read_usb(void) {
    if (packet.n_taken >= packet.n_bytes) {
        packet.n_bytes = stdio_usb.in_chars(packet.bytes, PACKET_BYTES);
        packet.n_taken = 0;
        if (packet.n_bytes <= 0) {
            return -1;
        }
    }
    is_on_usb = 1;
    return (uint8_t)packet.bytes[packet.n_taken++];
}

int esq_port_read(void) {
    const int byte = read_uart();
    return byte >= 0 ? byte : read_usb();
}

uint32_t esq_port_rx_bytes(void) { return RING_BYTES; }

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    if (is_on_usb) {
        stdio_usb.out_chars((const char *)bytes, (int)n_bytes);
    } else {
        uart_write_blocking(uart_default, bytes, n_bytes);
    }
}

void esq_port_idle(void) {
    const uint32_t interrupts = save_and_disable_interrupts(); /* none between the look and WFI */
    if (tail == head && tud_cdc_available() == 0) {
        __wfi();
    }
    restore_interrupts(interrupts);
}

void esq_port_pause(void) { sleep_ms(PAUSE_MS); }

static int uart_holds(uint32_t baud) { return baud <= clock_get_hz(clk_peri) / SAMPLES_PER_BIT; }

/* USB has no rate: any will do. */
int esq_port_holds_baud(uint32_t baud) { return is_on_usb || uart_holds(baud); }

/* The UART goes along where it can, and back at the latest when the session falls back. */
void esq_port_set_baud(uint32_t baud) {
    if (uart_holds(baud)) {
        uart_tx_wait_blocking(uart_default);
        (void)uart_set_baudrate(uart_default, baud);
    }
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) {
#if defined(__riscv)
    uint32_t misa;
    __asm__("csrr %0, misa" : "=r"(misa));
    return misa;
#elif defined(__arm__)
    return *(volatile uint32_t *)0xE000ED00u;
#else
    return 0;
#endif
}

uint32_t esq_port_ticks(void) { return time_us_32(); }

uint32_t esq_port_tick_hz(void) { return 1000000; }
