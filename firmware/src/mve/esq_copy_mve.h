/* Moving bytes 16 at a time, the last ones by predication: 3 instructions for 16, any address. */
#ifndef ESQ_COPY_MVE_H
#define ESQ_COPY_MVE_H

#include <stdint.h>

/* Both return the first byte after what they wrote. */
static inline int8_t *esq_mve_copy(const int8_t *from, uint32_t bytes, int8_t *to) {
    int8_t *place = to;
    __asm volatile("wlstp.8 lr, %2, 2f\n"
                   "1: vldrb.8 q0, [%0], #16\n\t"
                   "vstrb.8 q0, [%1], #16\n\t"
                   "letp lr, 1b\n"
                   "2:"
                   : "+r"(from), "+r"(place)
                   : "r"(bytes)
                   : "lr", "q0", "memory");
    return to + bytes;
}

static inline int8_t *esq_mve_fill(int8_t value, uint32_t bytes, int8_t *to) {
    int8_t *place = to;
    __asm volatile("vdup.8 q0, %1\n\t"
                   "wlstp.8 lr, %2, 2f\n"
                   "1: vstrb.8 q0, [%0], #16\n\t"
                   "letp lr, 1b\n"
                   "2:"
                   : "+r"(place)
                   : "r"((int32_t)value), "r"(bytes)
                   : "lr", "q0", "memory");
    return to + bytes;
}

#endif
