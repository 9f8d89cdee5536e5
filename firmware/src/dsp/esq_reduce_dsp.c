/* Running sums over a whole image on the DSP extension. Mirror: edgesq/reference/reduce.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_pool_dsp.h"

/* Adds up to ESQ_DSP_MAX_ADDED pixels, four channels at a time. */
static void add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                       uint32_t channels, int32_t *sums) {
    for (uint32_t c = 0; c < channels; c += 4) {
        const struct esq_quad_sums added =
            esq_add_quads((struct esq_quad_sums){0, 0}, pixel + c, pixel_bytes, pixels);
        sums[c] += esq_low_lane(added.even);
        sums[c + 1] += esq_low_lane(added.odd);
        sums[c + 2] += esq_high_lane(added.even);
        sums[c + 3] += esq_high_lane(added.odd);
    }
}

void esq_run_reduce_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const int8_t *pixel = esq_row(arena, input, progress->in_row);
    int32_t *sums = esq_reduce_begin(op, input->channels, arena, progress);
    for (uint32_t left = input->width; left > 0;) {
        const uint32_t pixels = left < ESQ_DSP_MAX_ADDED ? left : ESQ_DSP_MAX_ADDED;
        add_pixels(pixel, input->pixel_bytes, pixels, input->channels, sums);
        pixel += pixels * input->pixel_bytes;
        left -= pixels;
    }
    esq_reduce_end(op, op->params, input->height, arena, progress);
}

#endif
