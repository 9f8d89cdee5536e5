/* Sums of four channels over neighbouring pixels, on cores with the DSP extension. */
#ifndef ESQ_POOL_DSP_H
#define ESQ_POOL_DSP_H

#include "esq_lanes.h"

/* Values that 16-bit lanes have room to add up. */
#define ESQ_DSP_MAX_ADDED 255u

/* Channels (0, 2) and (1, 3) of four, as int16 lanes. */
struct esq_quad_sums {
    uint32_t even;
    uint32_t odd;
};

/* Adds four channels of `pixels` pixels, 6 instructions each with the loop. */
static inline struct esq_quad_sums esq_add_quads(struct esq_quad_sums sums, const int8_t *pixel,
                                                 uint32_t pixel_bytes, uint32_t pixels) {
    for (; pixels > 0; pixels--) {
        const uint32_t word = esq_load_word(pixel);
        sums.even = esq_even_lanes(sums.even, word);
        sums.odd = esq_odd_lanes(sums.odd, word);
        pixel += pixel_bytes;
    }
    return sums;
}

static inline int32_t esq_low_lane(uint32_t lanes) { return (int16_t)lanes; }

static inline int32_t esq_high_lane(uint32_t lanes) { return (int32_t)lanes >> 16; }

#endif
