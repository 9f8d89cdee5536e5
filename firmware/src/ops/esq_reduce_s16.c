/* Averages of int16 over a whole image as running sums. Mirror: edgesq/reference/reduce.py. */
#include "../esq_arithmetic16.h"
#include "../esq_average.h"

static void finish(const struct esq_reduce_s16 *params, const int32_t *sums, uint32_t channels,
                   int16_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t level = params->multiplier
                                  ? esq_requantize(sums[c], params->multiplier, params->shift)
                                  : esq_rounded_mean(sums[c], params->pixels);
        result[c] = esq_clamp_s16(level, params->clamp_min, params->clamp_max);
    }
}

void esq_run_reduce_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const uint32_t channels = esq_values_s16(input);
    int32_t *sums = esq_reduce_begin(op, channels, arena, progress);
    const int8_t *pixel = esq_row(arena, input, progress->in_row);
    for (uint32_t x = 0; x < input->width; x++) {
        const int16_t *values = esq_at_s16(pixel);
        for (uint32_t c = 0; c < channels; c++) {
            sums[c] += values[c];
        }
        pixel += input->pixel_bytes;
    }
    progress->in_row++;
    if (progress->in_row == input->height) {
        finish(op->params, sums, channels, esq_to_s16(esq_row(arena, op->output, 0)));
        progress->out_row = 1;
    }
}
