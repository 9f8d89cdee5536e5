/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API. */
#ifndef STANDIN_RING_BUFFER_H
#define STANDIN_RING_BUFFER_H

#include <stdint.h>

struct ring_buf {
    uint8_t *buffer;
    uint32_t size;
    uint32_t head;
    uint32_t tail;
};

#define RING_BUF_DECLARE(name, size8)                                                              \
    static uint8_t standin_buffer_##name[size8];                                                   \
    static struct ring_buf name = {standin_buffer_##name, size8, 0, 0}

uint32_t ring_buf_put(struct ring_buf *buf, const uint8_t *data, uint32_t size);
uint32_t ring_buf_get(struct ring_buf *buf, uint8_t *data, uint32_t size);

#endif
