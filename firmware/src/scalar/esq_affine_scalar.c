/* ADD, SUB and MUL with a constant per channel, on cores without DSP.
 * Mirror: edgesq/kernels/affine.py. */
#include "../esq_windows.h"
#include "esq_scalar_values.h"
#include "esq_scalar_ops.h"

static inline int8_t one_value(int8_t value, const int32_t *line) {
    return esq_saturated((value * line[0] + line[4]) >> ESQ_AFFINE_BITS);
}

static void affine_pixel(const int32_t *line, const int8_t *values, uint32_t channels,
                         int8_t *result) {
    for (; channels >= 4; channels -= 4, line += 8, values += 4, result += 4) {
        const int8_t at0 = one_value(values[0], line);
        const int8_t at1 = one_value(values[1], line + 1);
        const int8_t at2 = one_value(values[2], line + 2);
        const int8_t at3 = one_value(values[3], line + 3);
        result[0] = at0;
        result[1] = at1;
        result[2] = at2;
        result[3] = at3;
    }
    for (; channels > 0; channels--) {
        *result++ = one_value(*values++, line++);
    }
}

void esq_run_affine_scalar(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_affine *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = op->output->width; x > 0; x--) {
            affine_pixel(params->table, values, op->output->channels, result);
            values += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}
