/* Zephyr as a process: the console's UART is standard input and output, whose end ends the program.
 * The interrupt comes where the program would rest. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/ring_buffer.h>

const struct device standin_zephyr_console = {"console"};

static uart_irq_callback_user_data_t on_interrupt;
static void *interrupt_data;
static int is_enabled;
static struct uart_config current = {.baudrate = 115200};

static int has_input(int wait_ms) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&line, 1, wait_ms) > 0;
}

int uart_irq_callback_user_data_set(const struct device *dev, uart_irq_callback_user_data_t cb,
                                    void *user_data) {
    (void)dev;
    on_interrupt = cb;
    interrupt_data = user_data;
    return 0;
}

int uart_config_get(const struct device *dev, struct uart_config *cfg) {
    (void)dev;
    *cfg = current;
    return 0;
}

int uart_configure(const struct device *dev, const struct uart_config *cfg) {
    (void)dev;
    current = *cfg;
    return 0;
}

void uart_irq_rx_enable(const struct device *dev) {
    (void)dev;
    is_enabled = 1;
}

int uart_irq_update(const struct device *dev) {
    (void)dev;
    return 1;
}

int uart_irq_rx_ready(const struct device *dev) {
    (void)dev;
    return has_input(0);
}

int uart_fifo_read(const struct device *dev, uint8_t *rx_data, const int size) {
    (void)dev;
    const ssize_t n = read(STDIN_FILENO, rx_data, (size_t)size);
    if (n <= 0) {
        exit(0);
    }
    return (int)n;
}

void uart_poll_out(const struct device *dev, unsigned char out_char) {
    (void)dev;
    if (write(STDOUT_FILENO, &out_char, 1) != 1) {
        exit(1);
    }
}

uint32_t ring_buf_put(struct ring_buf *buf, const uint8_t *data, uint32_t size) {
    uint32_t n = 0;
    for (; n < size && buf->head - buf->tail < buf->size; n++) {
        buf->buffer[buf->head++ % buf->size] = data[n];
    }
    return n;
}

uint32_t ring_buf_get(struct ring_buf *buf, uint8_t *data, uint32_t size) {
    uint32_t n = 0;
    for (; n < size && buf->head != buf->tail; n++) {
        data[n] = buf->buffer[buf->tail++ % buf->size];
    }
    return n;
}

void k_sem_give(struct k_sem *sem) {
    if (sem->count < sem->limit) {
        sem->count++;
    }
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout) {
    while (sem->count == 0) {
        if (!has_input((int)timeout.ticks)) {
            return -1;
        }
        if (is_enabled) {
            on_interrupt(&standin_zephyr_console, interrupt_data);
        }
    }
    sem->count--;
    return 0;
}

int32_t k_msleep(int32_t ms) {
    (void)poll(NULL, 0, ms);
    return 0;
}

uint32_t k_cycle_get_32(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

int sys_clock_hw_cycles_per_sec(void) { return 1000000; }

void printk(const char *fmt, ...) {
    va_list arguments;
    va_start(arguments, fmt);
    (void)vprintf(fmt, arguments);
    va_end(arguments);
    (void)fflush(stdout);
}
