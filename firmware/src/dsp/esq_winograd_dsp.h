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
