/* MEAN and the average pool over a whole image, as running sums. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_average.h"
#include "../esq_windows.h"

/* Adds the next band to the sums; returns them once the image is complete, else NULL. */
static const int32_t *accumulate(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    void *scratch = arena + op->scratch_offset_bytes;
    int32_t *sums = scratch;
    for (uint32_t end = esq_input_band_end(op, progress); progress->in_row < end; progress->in_row++) {
        const int8_t *pixel = esq_row(arena, input, progress->in_row);
        for (uint32_t c = 0; progress->in_row == 0 && c < input->channels; c++) {
            sums[c] = 0;
        }
        for (uint32_t x = 0; x < input->width; x++) {
            for (uint32_t c = 0; c < input->channels; c++) {
                sums[c] += pixel[c];
            }
            pixel += input->pixel_bytes;
        }
    }
    if (progress->in_row < input->height) {
        return 0;
    }
    progress->out_row = 1;
    return sums;
}

void esq_run_mean(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mean *params = op->params;
    const int32_t *sums = accumulate(op, arena, progress);
    int8_t *result = esq_row(arena, op->output, 0);
    for (uint32_t c = 0; sums && c < op->output->channels; c++) {
        const int32_t scaled =
            esq_requantize(sums[c] - params->offset, params->multiplier, params->shift);
        result[c] = esq_clamp(scaled + params->output_zp, INT8_MIN, INT8_MAX);
    }
}

void esq_run_global_average_pool(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const int32_t pixels = op->input[0]->height * op->input[0]->width;
    const int32_t *sums = accumulate(op, arena, progress);
    int8_t *result = esq_row(arena, op->output, 0);
    for (uint32_t c = 0; sums && c < op->output->channels; c++) {
        result[c] =
            esq_clamp(esq_rounded_mean(sums[c], pixels), params->clamp_min, params->clamp_max);
    }
}
