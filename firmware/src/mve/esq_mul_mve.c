/* MUL on MVE. Mirror: edgesq/reference/binary.py. */
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_requantize_mve.h"

/* Four values; the operands less their zero points. */
static inline int32x4_t product(int32x4_t one, int32x4_t two, struct esq_mul by) {
    const int32_t left = by.shift > 0 ? by.shift : 0;
    const int32x4_t scaled = esq_mve_requantize(vmulq_s32(one, two), vdupq_n_s32(by.multiplier),
                                                vdupq_n_s32(left), vdupq_n_s32(by.shift - left));
    return esq_mve_clamp(scaled, by.output_zp, by.clamp_min, by.clamp_max);
}

static void mul_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_mul by = *(const struct esq_mul *)params;
    for (; count >= 4; count -= 4, first += 4, second += 4, result += 4) {
        const int32x4_t one = vsubq_n_s32(vldrbq_s32(first), by.input_zp[0]);
        const int32x4_t two = vsubq_n_s32(vldrbq_s32(second), by.input_zp[1]);
        vstrbq_s32(result, product(one, two, by));
    }
    if (count > 0) {
        const mve_pred16_t there = vctp32q(count);
        const int32x4_t one = vsubq_n_s32(vldrbq_z_s32(first, there), by.input_zp[0]);
        const int32x4_t two = vsubq_n_s32(vldrbq_z_s32(second, there), by.input_zp[1]);
        vstrbq_p_s32(result, product(one, two, by), there);
    }
}

void esq_run_mul_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, mul_values);
}

#endif
