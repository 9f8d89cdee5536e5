/* Moving a few bytes, by the widest access that the core has at any address. */
#ifndef ESQ_COPY_H
#define ESQ_COPY_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE)
#include "mve/esq_copy_mve.h"
#endif

/* Copies `bytes` from one place to another that it does not overlap. */
static inline void esq_copy(const int8_t *from, uint32_t bytes, int8_t *to) {
#if defined(__ARM_FEATURE_MVE)
    esq_mve_copy(from, bytes, to);
#else
#if defined(__ARM_FEATURE_UNALIGNED)
    for (; bytes >= 4; bytes -= 4) {
        uint32_t word;
        memcpy(&word, from, sizeof word);
        memcpy(to, &word, sizeof word);
        from += 4;
        to += 4;
    }
#endif
    for (; bytes > 0; bytes--) {
        *to++ = *from++;
    }
#endif
}

#endif
