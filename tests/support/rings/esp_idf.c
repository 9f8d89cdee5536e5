/* ESP-IDF's UART driver: a ring of bytes as long as it was asked for, which is used whole.
 * Source: ESP-IDF, components/esp_ringbuf/ringbuf.c, prvGetCurMaxSizeByteBuf. */
#include "driver/uart.h"
#include "esp_timer.h"
#include "flood.h"

static uint8_t ring[4096];
static uint32_t size, head, tail;

void flood_receive(uint8_t byte) {
    if (head - tail < size) {
        ring[head++ % sizeof ring] = byte;
    }
}

esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *uart_queue, int intr_alloc_flags) {
    (void)uart_num, (void)tx_buffer_size, (void)queue_size, (void)uart_queue;
    (void)intr_alloc_flags;
    size = (uint32_t)rx_buffer_size;
    return size <= sizeof ring ? ESP_OK : -1;
}

int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait) {
    (void)uart_num, (void)ticks_to_wait;
    uint32_t n = 0;
    for (; n < length && tail != head; n++) {
        ((uint8_t *)buf)[n] = ring[tail++ % sizeof ring];
    }
    return (int)n;
}

esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config) {
    (void)uart_num, (void)uart_config;
    return ESP_OK;
}

esp_err_t uart_set_baudrate(uart_port_t uart_num, uint32_t baudrate) {
    (void)uart_num, (void)baudrate;
    return ESP_OK;
}

esp_err_t uart_wait_tx_done(uart_port_t uart_num, TickType_t ticks_to_wait) {
    (void)uart_num, (void)ticks_to_wait;
    return ESP_OK;
}

int uart_write_bytes(uart_port_t uart_num, const void *src, size_t n_bytes) {
    (void)uart_num, (void)src;
    return (int)n_bytes;
}

int64_t esp_timer_get_time(void) { return 0; }
