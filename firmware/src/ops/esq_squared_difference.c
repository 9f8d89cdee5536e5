/* SQUARED_DIFFERENCE. Mirror: edgesq/combine.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

/* Headroom given to the operands before they are rescaled to a common scale. */
#define ESQ_SQUARED_SHIFT 7

static int32_t rescaled(const struct esq_add *params, uint32_t index, int8_t value) {
    const int32_t real = (value - params->input_zp[index]) * (1 << ESQ_SQUARED_SHIFT);
    return esq_requantize(real, params->multiplier[index], params->shift[index]);
}

static void squared_values(const void *params, const int8_t *first, const int8_t *second,
                           uint32_t count, int8_t *result) {
    const struct esq_add by = *(const struct esq_add *)params;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t apart = rescaled(&by, 0, first[i]) - rescaled(&by, 1, second[i]);
        const int32_t scaled = esq_requantize(apart * apart, by.output_multiplier, by.output_shift);
        result[i] = esq_clamp(scaled + by.output_zp, by.clamp_min, by.clamp_max);
    }
}

void esq_run_squared_difference(const struct esq_op *op, int8_t *arena,
                                struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, squared_values);
}
