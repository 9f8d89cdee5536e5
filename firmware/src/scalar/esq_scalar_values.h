/* Values on cores without instructions for several at a time: ends of sums, words of four bytes. */
#ifndef ESQ_SCALAR_VALUES_H
#define ESQ_SCALAR_VALUES_H

#include "../esq_arithmetic.h"
#include <string.h>

/* The short way to requantize: a multiplier Q0.31 and a shift to the right, at least by 1. */
struct esq_short {
    int32_t multiplier; /* not negative */
    int32_t addend;     /* half of what is shifted out, and the output's zero point shifted left */
    int32_t right;
};

static inline struct esq_short esq_short_of(int32_t multiplier, int32_t right, int32_t output_zp) {
    return (struct esq_short){multiplier, (2 * output_zp + 1) * (1 << (right - 1)), right};
}

/* 2 * sum * multiplier / 2^32, halves up, plus `addend`; |sum| < 2^26. */
static inline int32_t esq_short_high(int32_t sum, int32_t multiplier, int32_t addend) {
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
    /* Without a product of 64 bits: four of 32, of halves. What is added to keep the middle from
     * being negative is taken off again. */
    const int32_t high = sum >> 16;
    const uint32_t low = (uint32_t)sum & 0xffffu;
    const uint32_t upper = (uint32_t)multiplier >> 16;
    const uint32_t lower = (uint32_t)multiplier & 0xffffu;
    const uint32_t half = (low * lower >> 16) + ((1u << 14) + (1u << 26));
    const uint32_t middle = low * upper + half + (uint32_t)(high * (int32_t)lower);
    return high * (int32_t)(upper << 1) + (int32_t)(middle >> 15) - (1 << 11) + addend;
#else
    const int64_t start = (int64_t)addend * (1LL << 32) + (1LL << 31);
    return (int32_t)((start + (int64_t)(sum * 2) * multiplier) >> 32);
#endif
}

/* esq_requantize(), then the zero point, then saturation.
 *
 * A negative value is lowered by one before the shift, so that halves round away from zero; where
 * it rounds to zero that changes nothing. */
static inline int8_t esq_short_end(int32_t sum, struct esq_short by) {
    const int32_t high = esq_short_high(sum, by.multiplier, by.addend);
    return esq_saturated((high + (sum >> 31)) >> by.right);
}

/* Whether words can be read and written where this points to. */
static inline int esq_is_word_aligned(const int8_t *place) { return ((uintptr_t)place & 3u) == 0; }

/* Four values, the first one in the lowest byte; `from` and `to` are word aligned. */
static inline uint32_t esq_aligned_word(const int8_t *from) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(from, 4), sizeof word);
    return word;
}

static inline void esq_put_aligned_word(int8_t *to, uint32_t word) {
    memcpy(__builtin_assume_aligned(to, 4), &word, sizeof word);
}

#endif
