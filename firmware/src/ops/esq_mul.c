/* MUL. Mirror: edgesq/reference/binary.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

static void mul_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_mul by = *(const struct esq_mul *)params;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t product = (first[i] - by.input_zp[0]) * (second[i] - by.input_zp[1]);
        const int32_t scaled = esq_requantize(product, by.multiplier, by.shift);
        result[i] = esq_clamp(scaled + by.output_zp, by.clamp_min, by.clamp_max);
    }
}

void esq_run_mul(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, mul_values);
}
