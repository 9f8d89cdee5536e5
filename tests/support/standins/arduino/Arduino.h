// Stands in for Arduino's core: only what the examples call, with the types of Arduino's API.
#ifndef STANDIN_ARDUINO_H
#define STANDIN_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

class StandInSerial {
  public:
    void begin(unsigned long baud);
    int read();
    size_t write(const uint8_t *bytes, size_t n_bytes);
    size_t print(const char *text);
    size_t print(long value);
    size_t println(unsigned long value);
    void flush();
};

extern StandInSerial Serial;

unsigned long micros();
void yield();
void setup();
void loop();

#endif
