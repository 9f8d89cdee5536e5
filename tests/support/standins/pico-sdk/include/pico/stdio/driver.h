/* Stands in for the Pico SDK's. */
#ifndef PICO_STDIO_DRIVER_H
#define PICO_STDIO_DRIVER_H

typedef struct stdio_driver {
    void (*out_chars)(const char *buf, int len);
    int (*in_chars)(char *buf, int len);
} stdio_driver_t;

#endif
