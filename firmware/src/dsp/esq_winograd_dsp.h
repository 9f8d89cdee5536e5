/* What a convolution by way of Winograd's F(4, 3) consists of; see esq_winograd_dsp.c. */
#ifndef ESQ_WINOGRAD_DSP_H
#define ESQ_WINOGRAD_DSP_H

#include "esq_dsp_ops.h"

/* Of a tile: output pixels, and the values into which its input columns are transformed. */
#define ESQ_WINOGRAD_PIXELS 4u
#define ESQ_WINOGRAD_COLUMNS 6u

/* Output channels computed together, and int32 of the table for them. */
#define ESQ_WINOGRAD_CHANNELS 4u
#define ESQ_WINOGRAD_ROW 16u

/* Two int16 lanes at a time. */
static inline uint32_t esq_lanes_plus(uint32_t a, uint32_t b) {
    uint32_t lanes;
    __asm("sadd16 %0, %1, %2" : "=r"(lanes) : "r"(a), "r"(b));
    return lanes;
}

static inline uint32_t esq_lanes_minus(uint32_t a, uint32_t b) {
    uint32_t lanes;
    __asm("ssub16 %0, %1, %2" : "=r"(lanes) : "r"(a), "r"(b));
    return lanes;
}

static inline uint32_t esq_lanes_twice(uint32_t a) { return esq_lanes_plus(a, a); }

/* Six inputs d of one step to the tile's six values, `words` apart; 26 instructions. */
static inline void esq_winograd_values(const uint32_t d[ESQ_WINOGRAD_COLUMNS], uint32_t words,
                                       uint32_t *to) {
    const uint32_t a = esq_lanes_minus(d[4], esq_lanes_twice(esq_lanes_twice(d[2])));
    const uint32_t b = esq_lanes_minus(d[3], esq_lanes_twice(esq_lanes_twice(d[1])));
    const uint32_t c = esq_lanes_minus(d[4], d[2]);
    const uint32_t e = esq_lanes_twice(esq_lanes_minus(d[3], d[1]));
    const uint32_t f = esq_lanes_twice(esq_lanes_twice(esq_lanes_minus(d[0], d[2])));
    to[0] = esq_lanes_plus(f, c);
    to[words] = esq_lanes_plus(a, b);
    to[2 * words] = esq_lanes_minus(a, b);
    to[3 * words] = esq_lanes_plus(c, e);
    to[4 * words] = esq_lanes_minus(c, e);
    to[5 * words] = esq_lanes_minus(esq_lanes_minus(d[5], d[3]), esq_lanes_twice(e));
}

/* Which tile, and how it lies. */
struct esq_winograd_place {
    uint32_t column; /* first output column */
    uint32_t steps;  /* words from one of its six values to the next */
};

/* Transforms a tile's part of one input row, all channels; `row` 0: it lies beside the image. */
void esq_winograd_transform(const struct esq_winograd *params, const struct esq_slot *input,
                            const int8_t *row, const struct esq_winograd_place *place,
                            uint32_t *to);

/* Four channels from sums [6][4] to int8; table: bias [4], then multiplier, constant, shift. */
void esq_winograd_finish(const uint32_t *sums, const int32_t *table, uint32_t pixels,
                         uint32_t pixel_bytes, int8_t *result);

#endif
