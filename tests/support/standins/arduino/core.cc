// Arduino's core as a process: Serial is standard input and output, whose end ends the sketch.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

#include "Arduino.h"

StandInSerial Serial;

static bool has_input(int wait_ms) {
    pollfd line = {STDIN_FILENO, POLLIN, 0};
    return poll(&line, 1, wait_ms) > 0;
}

void StandInSerial::begin(unsigned long) {}

int StandInSerial::read() {
    uint8_t byte;
    if (!has_input(0)) {
        return -1;
    }
    if (::read(STDIN_FILENO, &byte, 1) != 1) {
        std::exit(0);
    }
    return byte;
}

size_t StandInSerial::write(const uint8_t *bytes, size_t n_bytes) {
    size_t sent = 0;
    while (sent < n_bytes) {
        const ssize_t n = ::write(STDOUT_FILENO, bytes + sent, n_bytes - sent);
        if (n <= 0) {
            std::exit(1);
        }
        sent += static_cast<size_t>(n);
    }
    return sent;
}

size_t StandInSerial::print(const char *text) {
    return static_cast<size_t>(std::printf("%s", text));
}

size_t StandInSerial::print(long value) { return static_cast<size_t>(std::printf("%ld", value)); }

size_t StandInSerial::println(unsigned long value) {
    const int n = std::printf("%lu\r\n", value);
    std::fflush(stdout);
    return static_cast<size_t>(n);
}

void StandInSerial::flush() {}

unsigned long micros() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<unsigned long>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

void yield() { has_input(1); }

int main() {
    setup();
    for (;;) {
        loop();
    }
}
