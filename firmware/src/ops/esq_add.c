/* ADD. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* Headroom given to the inputs before they are rescaled to a common scale. */
#define LEFT_SHIFT 20

static int32_t rescaled(const struct esq_add *params, uint32_t index, int8_t value) {
    const int32_t real = (value - params->input_zp[index]) * (1 << LEFT_SHIFT);
    return esq_requantize(real, params->multiplier[index], params->shift[index]);
}

void esq_run_add(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *first = esq_row(arena, op->input[0], progress->out_row);
        const int8_t *second = esq_row(arena, op->input[1], progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t x = 0; x < output->width; x++) {
            for (uint32_t c = 0; c < output->channels; c++) {
                const int32_t sum = rescaled(params, 0, first[c]) + rescaled(params, 1, second[c]);
                const int32_t scaled =
                    esq_requantize(sum, params->output_multiplier, params->output_shift);
                result[c] =
                    esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
            }
            first += op->input[0]->pixel_bytes;
            second += op->input[1]->pixel_bytes;
            result += output->pixel_bytes;
        }
    }
}
