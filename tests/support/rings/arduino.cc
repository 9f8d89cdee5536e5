// Arduino's Serial as the cores have it: a ring that is full where one byte more would look empty.
#include <Arduino.h>

extern "C" {
#include "flood.h"
}

#ifdef SERIAL_RX_BUFFER_SIZE
#define RING_BYTES SERIAL_RX_BUFFER_SIZE
#else
#define RING_BYTES 32 // arduino-pico's
#endif

StandInSerial Serial;

static uint8_t ring[RING_BYTES];
static unsigned head, tail;

void flood_receive(uint8_t byte) {
    const unsigned next = (head + 1) % RING_BYTES;
    if (next != tail) {
        ring[head] = byte;
        head = next;
    }
}

int StandInSerial::read() {
    if (head == tail) {
        return -1;
    }
    const uint8_t byte = ring[tail];
    tail = (tail + 1) % RING_BYTES;
    return byte;
}

void StandInSerial::begin(unsigned long) {}

size_t StandInSerial::write(const uint8_t *, size_t n_bytes) { return n_bytes; }

void StandInSerial::flush() {}

unsigned long micros() { return 0; }

void yield() {}
