/* The functions of esq_port.h over the console's UART; choose another one here. */
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include "esq_port.h"

#define RX_BYTES 1024
#define PAUSE_MS 50
#define DRAIN_MS 20 /* what a UART holds for itself at most, at ESQ_BAUD_DEFAULT */

RING_BUF_DECLARE(received, RX_BYTES);
static K_SEM_DEFINE(came, 0, 1);
static const struct device *const line = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));

static void on_interrupt(const struct device *device, void *user_data) {
    uint8_t byte;
    (void)user_data;
    (void)uart_irq_update(device);
    while (uart_irq_rx_ready(device) && uart_fifo_read(device, &byte, 1) == 1) {
        (void)ring_buf_put(&received, &byte, 1);
    }
    k_sem_give(&came);
}

/* At the board's own rate, which is ESQ_BAUD_DEFAULT on nearly all. */
void esq_port_init(void) {
    (void)uart_irq_callback_user_data_set(line, on_interrupt, NULL);
    uart_irq_rx_enable(line);
}

int esq_port_read(void) {
    uint8_t byte;
    return ring_buf_get(&received, &byte, 1) == 1 ? byte : -1;
}

uint32_t esq_port_rx_bytes(void) { return RX_BYTES; }

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    for (uint32_t i = 0; i < n_bytes; i++) {
        uart_poll_out(line, bytes[i]);
    }
}

void esq_port_idle(void) { (void)k_sem_take(&came, K_FOREVER); }

void esq_port_pause(void) { (void)k_sem_take(&came, K_MSEC(PAUSE_MS)); }

/* The host tries what the line holds, and comes back where it does not. */
int esq_port_holds_baud(uint32_t baud) {
    struct uart_config config;
    (void)baud;
    return uart_config_get(line, &config) == 0;
}

void esq_port_set_baud(uint32_t baud) {
    struct uart_config config;
    (void)k_msleep(DRAIN_MS);
    if (uart_config_get(line, &config) == 0) {
        config.baudrate = baud;
        (void)uart_configure(line, &config);
    }
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) {
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
    return *(volatile uint32_t *)0xE000ED00u;
#else
    return 0;
#endif
}

uint32_t esq_port_ticks(void) { return k_cycle_get_32(); }

uint32_t esq_port_tick_hz(void) { return (uint32_t)sys_clock_hw_cycles_per_sec(); }
