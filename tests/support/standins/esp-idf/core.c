/* ESP-IDF as a process: UART 0 is standard input and output, whose end ends the program. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "driver/uart.h"
#include "esp_timer.h"

#define MS_PER_TICK 10

void app_main(void);

esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *uart_queue, int intr_alloc_flags) {
    /* As the driver demands: more than the hardware's FIFO of 128 bytes. */
    const int is_good = rx_buffer_size > 128 && (tx_buffer_size == 0 || tx_buffer_size > 128) &&
                        (queue_size == 0) == (uart_queue == NULL) && intr_alloc_flags == 0;
    return uart_num == UART_NUM_0 && is_good ? ESP_OK : -1;
}

esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config) {
    const int is_good =
        uart_config->baud_rate == 115200 && uart_config->data_bits == UART_DATA_8_BITS &&
        uart_config->stop_bits == UART_STOP_BITS_1 && uart_config->source_clk == UART_SCLK_DEFAULT;
    return uart_num == UART_NUM_0 && is_good ? ESP_OK : -1;
}

esp_err_t uart_set_baudrate(uart_port_t uart_num, uint32_t baudrate) {
    return uart_num == UART_NUM_0 && baudrate != 0 ? ESP_OK : -1;
}

esp_err_t uart_wait_tx_done(uart_port_t uart_num, TickType_t ticks_to_wait) {
    (void)ticks_to_wait;
    return uart_num == UART_NUM_0 ? ESP_OK : -1;
}

int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    const int wait_ms = ticks_to_wait == portMAX_DELAY ? -1 : (int)(ticks_to_wait * MS_PER_TICK);
    (void)uart_num;
    if (poll(&line, 1, wait_ms) <= 0) {
        return 0;
    }
    const ssize_t n = read(STDIN_FILENO, buf, length);
    if (n <= 0) {
        _exit(0);
    }
    return (int)n;
}

int uart_write_bytes(uart_port_t uart_num, const void *src, size_t size) {
    const uint8_t *bytes = src;
    (void)uart_num;
    for (size_t sent = 0; sent < size;) {
        const ssize_t n = write(STDOUT_FILENO, bytes + sent, size - sent);
        if (n <= 0) {
            _exit(1);
        }
        sent += (size_t)n;
    }
    return (int)size;
}

int64_t esp_timer_get_time(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(void) {
    app_main();
    return 0;
}
