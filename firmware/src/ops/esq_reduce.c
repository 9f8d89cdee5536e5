/* Averages over a whole image as running sums: MEAN and the global AVERAGE_POOL_2D.
 * Mirror: edgesq/reference/reduce.py.
 */
#include "../esq_arithmetic.h"
#include "../esq_average.h"
#include "../esq_windows.h"

static void clear(int32_t *sums, uint32_t channels) {
    for (uint32_t c = 0; c < channels; c++) {
        sums[c] = 0;
    }
}

static void add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                       uint32_t channels, int32_t *sums) {
    for (uint32_t x = 0; x < pixels; x++) {
        for (uint32_t c = 0; c < channels; c++) {
            sums[c] += pixel[c];
        }
        pixel += pixel_bytes;
    }
}

int32_t *esq_reduce_begin(const struct esq_op *op, uint32_t channels, int8_t *arena,
                          const struct esq_progress *progress) {
    void *place = arena + op->sums_offset_bytes;
    if (progress->in_row == 0) {
        clear(place, channels);
    }
    return place;
}

void esq_reduce_end(const struct esq_op *op, const struct esq_reduce *params, uint32_t rows,
                    int8_t *arena, struct esq_progress *progress) {
    const void *sums = arena + op->sums_offset_bytes;
    progress->in_row++;
    if (progress->in_row == rows) {
        params->finish(params, sums, op->output->channels, esq_row(arena, op->output, 0));
        progress->out_row = 1;
    }
}

void esq_run_reduce(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    int32_t *sums = esq_reduce_begin(op, input->channels, arena, progress);
    add_pixels(esq_row(arena, input, progress->in_row), input->pixel_bytes, input->width,
               input->channels, sums);
    esq_reduce_end(op, op->params, input->height, arena, progress);
}

void esq_finish_mean(const struct esq_reduce *params, const int32_t *sums, uint32_t channels,
                     int8_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t scaled =
            esq_requantize(sums[c] - params->offset, params->multiplier, params->shift);
        result[c] = esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
    }
}

void esq_finish_average_pool(const struct esq_reduce *params, const int32_t *sums,
                             uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        result[c] = esq_clamp(esq_rounded_mean(sums[c], params->pixels), params->clamp_min,
                              params->clamp_max);
    }
}

void esq_finish_halves_up_pool(const struct esq_reduce *params, const int32_t *sums,
                               uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        result[c] = esq_clamp(esq_rounded_up_mean(sums[c], params->pixels), params->clamp_min,
                              params->clamp_max);
    }
}
