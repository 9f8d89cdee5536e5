/* Running sums over a whole image on cores without DSP. Mirror: edgesq/reference/reduce.py. */
#include "../esq_windows.h"
#include "esq_scalar_lanes.h"
#include "esq_scalar_ops.h"

/* Adds up to ESQ_MAX_ADDED pixels, four channels at a time. */
static void add_words(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels, uint32_t channels,
                      int32_t *sums) {
    const int32_t bias = (int32_t)pixels * ESQ_LANE_BIAS;
    for (uint32_t c = 0; c < channels; c += 4) {
        const struct esq_lanes added =
            esq_add_pixels((struct esq_lanes){0, 0}, pixel + c, pixel_bytes, pixels);
#pragma GCC unroll 4
        for (uint32_t k = 0; k < 4; k++) {
            sums[c + k] += esq_lane(added, k) - bias;
        }
    }
}

static void add_values(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                       uint32_t channels, int32_t *sums) {
    for (uint32_t c = 0; c < channels; c++) {
        const int8_t *value = pixel + c;
        int32_t sum = sums[c];
        for (uint32_t left = pixels; left > 0; left--) {
            sum += *value;
            value += pixel_bytes;
        }
        sums[c] = sum;
    }
}

void esq_run_reduce_scalar(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const int8_t *pixel = esq_row(arena, input, progress->in_row);
    const int is_aligned = esq_is_word_aligned(pixel) && input->pixel_bytes % 4u == 0;
    const uint32_t by_words = is_aligned ? input->channels & ~3u : 0;
    int32_t *sums = esq_reduce_begin(op, input->channels, arena, progress);
    for (uint32_t left = input->width; left > 0;) {
        const uint32_t pixels = left < ESQ_MAX_ADDED ? left : ESQ_MAX_ADDED;
        add_words(pixel, input->pixel_bytes, pixels, by_words, sums);
        add_values(pixel + by_words, input->pixel_bytes, pixels, input->channels - by_words,
                   sums + by_words);
        pixel += pixels * input->pixel_bytes;
        left -= pixels;
    }
    esq_reduce_end(op, op->params, input->height, arena, progress);
}
