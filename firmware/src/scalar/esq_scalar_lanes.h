/* Sums of neighbouring pixels, four channels at a time in lanes of 16 bits. */
#ifndef ESQ_SCALAR_LANES_H
#define ESQ_SCALAR_LANES_H

#include "esq_scalar_values.h"

/* Values that a lane has room to add up, and what each counts more than it is: they are added as
 * unsigned bytes, their highest bit turned. */
#define ESQ_MAX_ADDED 256u
#define ESQ_LANE_BIAS 128

/* Channels (0, 2) and (1, 3) of four, as uint16 lanes. */
struct esq_lanes {
    uint32_t even;
    uint32_t odd;
};

/* Adds four channels of `pixels` pixels, the first of them word aligned. */
static inline struct esq_lanes esq_add_pixels(struct esq_lanes sums, const int8_t *pixel,
                                              uint32_t pixel_bytes, uint32_t pixels) {
    for (; pixels > 0; pixels--) {
        const uint32_t word = esq_aligned_word(pixel) ^ 0x80808080u;
        sums.even += word & 0x00ff00ffu;
        sums.odd += (word >> 8) & 0x00ff00ffu;
        pixel += pixel_bytes;
    }
    return sums;
}

static inline int32_t esq_lane(struct esq_lanes sums, uint32_t channel) {
    const uint32_t word = channel & 1u ? sums.odd : sums.even;
    return (int32_t)(channel & 2u ? word >> 16 : word & 0xffffu);
}

#endif
