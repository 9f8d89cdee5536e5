/* RESIZE_BILINEAR. Mirror: edgesq/reference/move.py. */
#include "../esq_windows.h"

#define ESQ_BETWEEN_STEPS 1024

/* Two rows of the input, each as it lies, and how far from the first to the second. */
struct band {
    const int8_t *first;
    const int8_t *second;
    int32_t weight;
};

/* (value + half) / 2^20, halves away from zero. */
static int8_t rounded(int32_t value) {
    const int32_t half = (int32_t)1 << 19;
    return (int8_t)((value + (value > 0 ? half : -half)) / (1 << 20));
}

static void between_pixels(const struct band *band, uint32_t offset_bytes, uint32_t step_bytes,
                           int32_t weight, uint32_t channels, int8_t *result) {
    const int8_t *upper = band->first + offset_bytes;
    const int8_t *lower = band->second + offset_bytes;
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t left = upper[c] * ESQ_BETWEEN_STEPS + (lower[c] - upper[c]) * band->weight;
        const int32_t above = upper[c + step_bytes];
        const int32_t right =
            above * ESQ_BETWEEN_STEPS + (lower[c + step_bytes] - above) * band->weight;
        result[c] = rounded(left * ESQ_BETWEEN_STEPS + (right - left) * weight);
    }
}

void esq_run_resize_bilinear(const struct esq_op *op, int8_t *arena,
                             struct esq_progress *progress) {
    const struct esq_resize *params = op->params;
    const struct esq_slot *input = op->input[0];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const struct esq_between *row = &params->rows[progress->out_row];
        const struct band band = {
            .first = esq_row(arena, input, row->first),
            .second = esq_row(arena, input, row->weight > 0 ? row->first + 1u : row->first),
            .weight = row->weight,
        };
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            const struct esq_between *column = &params->columns[x];
            between_pixels(&band, column->first * input->pixel_bytes,
                           column->weight > 0 ? input->pixel_bytes : 0u, column->weight,
                           input->channels, result);
            result += op->output->pixel_bytes;
        }
    }
}
