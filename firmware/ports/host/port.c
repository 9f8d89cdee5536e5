/* The firmware as a process: stdin and stdout are the serial line, closed stdin ends it. */
#define _POSIX_C_SOURCE 200809L

#include "esq_port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RX_BYTES 1024u /* as the boards' rings; a pty itself holds 4 KB */
#define WRITE_TIMEOUT_MS 1000
#define IDLE_TIMEOUT_MS 1000

static uint8_t rx[RX_BYTES];
static uint32_t rx_head, rx_tail;

void esq_port_init(void) {
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0) {
        exit(1);
    }
    flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) < 0) {
        exit(1);
    }
}

int esq_port_read(void) {
    if (rx_head == rx_tail) {
        ssize_t n = read(STDIN_FILENO, rx, sizeof rx);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            exit(0);
        }
        rx_head = 0;
        rx_tail = n > 0 ? (uint32_t)n : 0u;
    }
    return rx_head < rx_tail ? rx[rx_head++] : -1;
}

uint32_t esq_port_rx_bytes(void) { return RX_BYTES; }

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    while (n_bytes != 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, n_bytes);
        if (n > 0) {
            bytes += n;
            n_bytes -= (uint32_t)n;
            continue;
        }
        struct pollfd line = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return;
        }
        if (poll(&line, 1, WRITE_TIMEOUT_MS) == 0) {
            return;
        }
    }
}

void esq_port_idle(void) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)poll(&line, 1, IDLE_TIMEOUT_MS);
}

uint32_t esq_port_ticks(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) { return 0; }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
