/* Sums over the values of a window that are not zero.
 *
 * Behind a ReLU half of all values or more are the zero point, -128. The others under one output
 * pixel are listed, each with the tap it meets, and serve four output channels at a time; padding
 * is not listed. That pays where few values are left, and where much of a window is
 * padding. The sums are the same.
 */
#ifndef ESQ_SCALAR_LISTED_H
#define ESQ_SCALAR_LISTED_H

#include "esq_scalar_view.h"

/* Appends the `count` values at taps [tap, tap + count) that are not -128 to a list: (value + 128)
 * 2^16 + tap. Returns the list's end; 0 where it might come to lie past `limit`. */
uint32_t *esq_scalar_list(const int8_t *values, uint32_t tap, uint32_t count, uint32_t *to,
                          const uint32_t *limit);

/* Sums of four channels at a time for one pixel.
 *
 * list         of the pixel, to list_end.
 * weights      int8 [channels][taps].
 * weight_sums  int16 [channels]: minus the sum of each channel's weights.
 * channels     a multiple of 4, at least that.
 * sums         int32 [channels], `width` apart: of value times weight over all taps.
 */
struct esq_scalar_listed {
    const uint32_t *list;
    const uint32_t *list_end;
    const int8_t *weights;
    uint32_t taps;
    const int16_t *weight_sums;
    uint32_t channels;
    int32_t *sums;
    uint32_t width;
};

void esq_scalar_sums_listed(const struct esq_scalar_listed *listed);

/* Lists the windows of up to `pixels` output pixels from `column` on in place of their words.
 * Returns how many: those before the first one that does not fit, or that words are faster for. */
uint32_t esq_scalar_list_windows(struct esq_scalar_view *view, uint32_t column, uint32_t pixels);

/* Sums of channels from `first` on over the windows of `pixels` pixels that are listed. */
void esq_scalar_sum_lists(const struct esq_scalar_view *view, uint32_t pixels, uint32_t first,
                          uint32_t channels);

#endif
