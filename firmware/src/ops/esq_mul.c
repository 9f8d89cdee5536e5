/* MUL. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

static void mul_pixel(const struct esq_mul *params, const int8_t *first, const int8_t *second,
                      uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t product = (first[c] - params->input_zp[0]) * (second[c] - params->input_zp[1]);
        const int32_t scaled = esq_requantize(product, params->multiplier, params->shift);
        result[c] = esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
    }
}

void esq_run_mul(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        struct esq_operands from = esq_operands_of(op, params->constant, arena, progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            mul_pixel(params, from.at[0].pixel, from.at[1].pixel, op->output->channels, result);
            esq_operands_step(&from);
            result += op->output->pixel_bytes;
        }
    }
}
