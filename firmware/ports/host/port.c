/* The firmware as a process: stdin and stdout are the serial line, closed stdin ends it. Where
 * ESQ_TCP_PORT names a TCP port, its connections are the line, one after the other. */
#define _DEFAULT_SOURCE

#include "esq_port.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef ESQ_RX_BYTES
#define ESQ_RX_BYTES 1024u /* as the boards' rings */
#endif
#define TX_BYTES 1024u
#define WRITE_TIMEOUT_MS 1000
#define IDLE_TIMEOUT_MS 1000
#define PAUSE_MS 50
#define DRAIN_MARGIN_US 20000u /* for whoever passes the bytes on */
#define BITS_PER_BYTE 10u

static uint8_t rx[ESQ_RX_BYTES];
static uint32_t rx_head, rx_tail;
static uint8_t tx[TX_BYTES];
static uint32_t n_tx;
static uint32_t line_baud = ESQ_BAUD_DEFAULT;
static uint64_t line_free_us; /* when a real line would have sent all that was written */

static const struct {
    uint32_t baud;
    speed_t code;
} speeds[] = {
    {115200, B115200},   {230400, B230400},   {460800, B460800},   {921600, B921600},
    {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000},
};

static int listener = -1;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void make_unblocked(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) {
        fail("fcntl");
    }
}

/* For this computer only. */
static void listen_on(const char *port) {
    struct sockaddr_in here = {.sin_family = AF_INET};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    here.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (const struct sockaddr *)&here, sizeof here) != 0 ||
        listen(listener, 1) != 0) {
        fail("ESQ_TCP_PORT");
    }
    (void)signal(SIGPIPE, SIG_IGN); /* whoever is connected may go */
}

static void take_connection(void) {
    int on = 1;
    int line;
    do {
        line = accept(listener, NULL, NULL);
    } while (line < 0 && errno == EINTR); /* a simulated RTOS ticks by signals */
    if (line < 0 || setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        dup2(line, STDIN_FILENO) < 0 || dup2(line, STDOUT_FILENO) < 0) {
        fail("accept");
    }
    (void)close(line);
    make_unblocked(STDIN_FILENO);
}

static uint64_t now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void flush(void) {
    const uint8_t *bytes = tx;
    while (n_tx != 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, n_tx);
        if (n > 0) {
            bytes += n;
            n_tx -= (uint32_t)n;
            continue;
        }
        struct pollfd line = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if ((n < 0 && errno != EAGAIN && errno != EINTR) || poll(&line, 1, WRITE_TIMEOUT_MS) == 0) {
            n_tx = 0;
        }
    }
}

void esq_port_init(void) {
    const char *port = getenv("ESQ_TCP_PORT");
    if (port != NULL) {
        listen_on(port);
        take_connection();
    }
    (void)atexit(flush);
    esq_port_set_baud(ESQ_BAUD_DEFAULT);
    make_unblocked(STDIN_FILENO);
    make_unblocked(STDOUT_FILENO);
}

int esq_port_read(void) {
    if (rx_head == rx_tail) {
        flush();
        ssize_t n = read(STDIN_FILENO, rx, sizeof rx);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            if (listener < 0) {
                exit(0);
            }
            take_connection();
        }
        rx_head = 0;
        rx_tail = n > 0 ? (uint32_t)n : 0u;
    }
    return rx_head < rx_tail ? rx[rx_head++] : -1;
}

uint32_t esq_port_rx_bytes(void) { return ESQ_RX_BYTES; }

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint64_t now = now_us();
    line_free_us = (line_free_us > now ? line_free_us : now) +
                   (uint64_t)n_bytes * BITS_PER_BYTE * 1000000u / line_baud;
    for (uint32_t i = 0; i < n_bytes; i++) {
        tx[n_tx++] = bytes[i];
        if (bytes[i] == 0 || n_tx == TX_BYTES) {
            flush(); /* a frame ends: whole ones wake the host once; other bytes go with the read */
        }
    }
}

void esq_port_idle(void) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)poll(&line, 1, IDLE_TIMEOUT_MS);
}

void esq_port_pause(void) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)poll(&line, 1, PAUSE_MS);
}

static speed_t speed_of(uint32_t baud) {
    for (uint32_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == baud) {
            return speeds[i].code;
        }
    }
    return B0;
}

int esq_port_holds_baud(uint32_t baud) {
    struct termios line;
    return speed_of(baud) != B0 && tcgetattr(STDIN_FILENO, &line) == 0;
}

void esq_port_set_baud(uint32_t baud) {
    struct termios line;
    while (now_us() < line_free_us + DRAIN_MARGIN_US) {
        (void)poll(NULL, 0, 1);
    }
    if (tcgetattr(STDIN_FILENO, &line) == 0 && cfsetspeed(&line, speed_of(baud)) == 0 &&
        tcsetattr(STDIN_FILENO, TCSANOW, &line) == 0) {
        line_baud = baud;
    }
}

uint32_t esq_port_ticks(void) { return (uint32_t)now_us(); }

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) { return 0; }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
