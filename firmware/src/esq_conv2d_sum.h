/* One value of a convolution before it is rescaled: what CONV_2D and FULLY_CONNECTED share. */
#ifndef ESQ_CONV2D_SUM_H
#define ESQ_CONV2D_SUM_H

#include "esq_windows.h"

/* Sum over `taps` pixels. */
static inline int32_t esq_pixels_sum(const int8_t *pixels, uint32_t pixel_bytes,
                                     const int8_t *weights, uint32_t channels, uint32_t taps,
                                     int32_t input_zp) {
    int32_t sum = 0;
    for (uint32_t tap = 0; tap < taps; tap++) {
        for (uint32_t c = 0; c < channels; c++) {
            sum += (pixels[c] - input_zp) * weights[c];
        }
        pixels += pixel_bytes;
        weights += channels;
    }
    return sum;
}

/* Sum for one output channel of the window whose `taps` lie inside the image, its bias included;
 * `depth` input channels from the taps' offset on. */
static inline int32_t esq_conv2d_sum(const struct esq_conv2d *params, uint32_t pixel_bytes,
                                     uint32_t depth, const int8_t *const *rows,
                                     const struct esq_taps *taps, uint32_t channel) {
    const struct esq_window *window = &params->window;
    const uint32_t kernel_row = window->width * depth;
    const int8_t *weights = params->weights + channel * window->height * kernel_row;
    int32_t sum = params->bias[channel];
    weights += taps->first * depth;
    for (uint32_t y = 0; y < window->height; y++) {
        if (rows[y]) {
            sum += esq_pixels_sum(rows[y] + taps->offset_bytes, pixel_bytes, weights, depth,
                                  taps->count, params->input_zp);
        }
        weights += kernel_row;
    }
    return sum;
}

#endif
