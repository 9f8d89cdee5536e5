/* Arithmetic of int16 values: sums of products, and what they become.
 * Source: TensorFlow Lite kernels/internal/common.h. Mirror: edgesq/arithmetic16.py.
 */
#ifndef ESQ_ARITHMETIC16_H
#define ESQ_ARITHMETIC16_H

#include "esq_arithmetic.h"
#include "esq_int16_ops.h"
#include "esq_windows.h"

/* So many products of int16 and int8 sum up in 32 bits: 256 * 2^15 * 2^7 = 2^30. */
#define ESQ_PRODUCTS_S16 256u

/* Values of a pixel, whose bytes a slot counts. */
static inline uint32_t esq_values_s16(const struct esq_slot *slot) { return slot->channels / 2u; }

static inline const int16_t *esq_at_s16(const int8_t *bytes) {
    const void *place = bytes;
    return place;
}

static inline int16_t *esq_to_s16(int8_t *bytes) {
    void *place = bytes;
    return place;
}

static inline int16_t esq_clamp_s16(int32_t x, int32_t low, int32_t high) {
    if (x < low) {
        return (int16_t)low;
    }
    return (int16_t)(x > high ? high : x);
}

/* (sum * multiplier + half) >> shift; |sum| < 2^47. */
static inline int32_t esq_rescale_sum_s16(int64_t sum, int16_t multiplier, uint32_t shift) {
    return (int32_t)((sum * multiplier + (1LL << (shift - 1u))) >> shift);
}

/* The taps of a window that lie inside the image, at one output column. */
static inline struct esq_taps esq_taps_s16(const struct esq_conv2d_s16 *conv,
                                           const struct esq_slot *input, uint32_t column) {
    const struct esq_window *window = &conv->window;
    const int32_t left = (int32_t)(column * window->stride_w) - window->pad_left;
    struct esq_taps taps = {0, 0, 0};
    for (uint32_t tap = 0; tap < window->width; tap++) {
        const int32_t x = left + (int32_t)(tap * conv->dilation_w);
        if (x < 0) {
            taps.first++;
        } else if (x < input->width) {
            taps.count++;
        }
    }
    const int32_t x = left + (int32_t)(taps.first * conv->dilation_w);
    taps.offset_bytes = taps.count ? (uint32_t)x * input->pixel_bytes : 0;
    return taps;
}

/* A band row by row: `take` computes one from one row of each input. */
typedef void esq_take_s16_fn(const void *params, const int8_t *const *pixels, uint32_t count,
                             int8_t *result);

/* Takes the next band of an operator on values at the same place, pixel by pixel, or row by row
 * where nothing lies between the pixels. */
void esq_band_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress,
                  esq_take_s16_fn *take);

#endif
