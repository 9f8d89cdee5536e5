/* Four int8 of a row at a time, on cores with the DSP extension. */
#ifndef ESQ_LANES_H
#define ESQ_LANES_H

#include <stdint.h>
#include <string.h>

static inline uint32_t esq_load_word(const int8_t *values) {
    uint32_t word;
    memcpy(&word, values, sizeof word);
    return word;
}

static inline void esq_store_word(int8_t *values, uint32_t word) {
    memcpy(values, &word, sizeof word);
}

/* Bytes 0 and 2 as int16 lanes, each added to a lane of `offsets`. */
static inline uint32_t esq_even_lanes(uint32_t offsets, uint32_t bytes) {
    uint32_t lanes;
    __asm("sxtab16 %0, %1, %2" : "=r"(lanes) : "r"(offsets), "r"(bytes));
    return lanes;
}

/* Bytes 1 and 3 likewise. */
static inline uint32_t esq_odd_lanes(uint32_t offsets, uint32_t bytes) {
    uint32_t lanes;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(lanes) : "r"(offsets), "r"(bytes));
    return lanes;
}

#endif
