/* A Pico as a process: its UART is standard input and output, whose end ends the program; nobody is
 * at its USB. The interrupt comes where the program would rest. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hardware/clocks.h"
#include "hardware/irq.h"
#include "hardware/sync.h"
#include "hardware/uart.h"
#include "pico/stdio_usb.h"
#include "pico/stdlib.h"
#include "tusb.h"

uart_inst_t *const uart_default = NULL;

static irq_handler_t on_interrupt;

static bool has_input(int wait_ms) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&line, 1, wait_ms) > 0;
}

static void rest(int wait_ms) {
    if (has_input(wait_ms) && on_interrupt != NULL) {
        on_interrupt();
    }
}

int stdio_init_all(void) { return setvbuf(stdout, NULL, _IOLBF, BUFSIZ); }

void gpio_set_function(uint gpio, int fn) { (void)gpio, (void)fn; }

void gpio_pull_up(uint gpio) { (void)gpio; }

void sleep_ms(uint32_t ms) { rest((int)ms); }

uint32_t time_us_32(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

void irq_set_exclusive_handler(unsigned int num, irq_handler_t handler) {
    (void)num;
    on_interrupt = handler;
}

void irq_set_enabled(unsigned int num, bool enabled) { (void)num, (void)enabled; }

void __wfi(void) { rest(-1); }

uint32_t save_and_disable_interrupts(void) { return 0; }

void restore_interrupts(uint32_t status) { (void)status; }

unsigned int uart_init(uart_inst_t *uart, unsigned int baudrate) {
    (void)uart;
    return baudrate;
}

unsigned int uart_set_baudrate(uart_inst_t *uart, unsigned int baudrate) {
    (void)uart;
    return baudrate;
}

void uart_set_irqs_enabled(uart_inst_t *uart, bool rx_has_data, bool tx_needs_data) {
    (void)uart, (void)rx_has_data, (void)tx_needs_data;
}

bool uart_is_readable(uart_inst_t *uart) {
    (void)uart;
    return has_input(0);
}

char uart_getc(uart_inst_t *uart) {
    (void)uart;
    char byte;
    if (read(STDIN_FILENO, &byte, 1) != 1) {
        exit(0);
    }
    return byte;
}

void uart_write_blocking(uart_inst_t *uart, const uint8_t *src, size_t len) {
    (void)uart;
    if (write(STDOUT_FILENO, src, len) != (ssize_t)len) {
        exit(1);
    }
}

void uart_tx_wait_blocking(uart_inst_t *uart) { (void)uart; }

uint32_t clock_get_hz(enum clock_num clock) {
    (void)clock;
    return SYS_CLK_HZ;
}

static void usb_out(const char *buf, int len) { (void)buf, (void)len; }

static int usb_in(char *buf, int len) {
    (void)buf, (void)len;
    return -3; /* PICO_ERROR_NO_DATA */
}

stdio_driver_t stdio_usb = {usb_out, usb_in};

uint32_t tud_cdc_available(void) { return 0; }
