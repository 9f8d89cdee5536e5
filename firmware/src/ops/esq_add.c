/* ADD and SUB. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

/* Headroom given to the operands before they are rescaled to a common scale. */
#define LEFT_SHIFT 20

static int32_t rescaled(const struct esq_add *params, uint32_t index, int8_t value) {
    const int32_t real = (value - params->input_zp[index]) * (1 << LEFT_SHIFT);
    return esq_requantize(real, params->multiplier[index], params->shift[index]);
}

static void add_pixel(const struct esq_add *params, const int8_t *first, const int8_t *second,
                      uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t sum =
            rescaled(params, 0, first[c]) + params->sign * rescaled(params, 1, second[c]);
        const int32_t scaled = esq_requantize(sum, params->output_multiplier, params->output_shift);
        result[c] = esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
    }
}

void esq_run_add(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        struct esq_operands from = esq_operands_of(op, params->constant, arena, progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            add_pixel(params, from.at[0].pixel, from.at[1].pixel, op->output->channels, result);
            esq_operands_step(&from);
            result += op->output->pixel_bytes;
        }
    }
}
