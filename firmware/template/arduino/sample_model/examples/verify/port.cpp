// The functions of esq_port.h over Serial; name another serial line here.
#include <Arduino.h>
#include <esq_port.h>

#define LINE Serial

void esq_port_init(void) { LINE.begin(ESQ_BAUD_DEFAULT); }

int esq_port_read(void) { return LINE.read(); }

// A ring that counts one less than its bytes: full where one more would look empty. A core that
// does not say how long its own is (arduino-pico, ESP32) has 32 bytes or more.
#ifdef SERIAL_RX_BUFFER_SIZE
uint32_t esq_port_rx_bytes(void) { return SERIAL_RX_BUFFER_SIZE - 1; }
#else
uint32_t esq_port_rx_bytes(void) { return 31; }
#endif

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) { LINE.write(bytes, n_bytes); }

void esq_port_idle(void) { yield(); }

void esq_port_pause(void) { yield(); }

// The host tries what the line holds, and comes back where it does not.
int esq_port_holds_baud(uint32_t) { return 1; }

void esq_port_set_baud(uint32_t baud) {
    LINE.flush();
    LINE.begin(baud);
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) {
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
    return *reinterpret_cast<volatile uint32_t *>(0xE000ED00);
#else
    return 0;
#endif
}

uint32_t esq_port_ticks(void) { return micros(); }

uint32_t esq_port_tick_hz(void) { return 1000000; }
