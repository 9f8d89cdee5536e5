/* ADD, SUB and MUL with a constant per channel. Mirror: edgesq/kernels/affine.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

static void affine_pixel(const struct esq_affine *params, const int8_t *values, uint32_t channels,
                         int8_t *result) {
    const int32_t *lines = params->table;
    const int32_t low = params->clamp_min;
    const int32_t high = params->clamp_max;
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t *line = lines + c / 4 * 8 + c % 4;
        const int32_t raised = values[c] * line[0] + line[4];
        result[c] = esq_clamp(raised >> ESQ_AFFINE_BITS, low, high);
    }
}

void esq_run_affine(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            affine_pixel(op->params, values, op->output->channels, result);
            values += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}
