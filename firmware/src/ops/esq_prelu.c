/* PRELU. Mirror: edgesq/combine.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

static void sloped_values(const void *params, const int8_t *first, const int8_t *second,
                          uint32_t count, int8_t *result) {
    const struct esq_prelu by = *(const struct esq_prelu *)params;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t value = first[i] - by.input_zp[0];
        const int32_t scaled = value < 0 ? esq_requantize(value * (second[i] - by.input_zp[1]),
                                                          by.multiplier[1], by.shift[1])
                                         : esq_requantize(value, by.multiplier[0], by.shift[0]);
        result[i] = esq_clamp(scaled + by.output_zp, by.clamp_min, by.clamp_max);
    }
}

void esq_run_prelu(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_prelu *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, sloped_values);
}
