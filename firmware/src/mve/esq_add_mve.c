/* ADD and SUB on MVE. Mirror: edgesq/reference/binary.py. */
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_requantize_mve.h"

/* Headroom given to the operands before they are rescaled to a common scale. */
#define ESQ_LEFT_SHIFT 20

static inline int32x4_t scaled(int32x4_t x, int32_t multiplier, int32_t shift) {
    const int32_t left = shift > 0 ? shift : 0;
    return esq_mve_requantize(x, vdupq_n_s32(multiplier), vdupq_n_s32(left),
                              vdupq_n_s32(shift - left));
}

/* An operand on the common scale; shifts to it are to the right. */
static inline int32x4_t rescaled(struct esq_add by, uint32_t index, int32x4_t value) {
    const int32x4_t raised = vshlq_n_s32(vsubq_n_s32(value, by.input_zp[index]), ESQ_LEFT_SHIFT);
    return scaled(raised, by.multiplier[index], by.shift[index]);
}

static inline int32x4_t sum(int32x4_t one, int32x4_t two, struct esq_add by) {
    const int32x4_t both = vmlaq_n_s32(rescaled(by, 0, one), rescaled(by, 1, two), by.sign);
    const int32x4_t level = scaled(both, by.output_multiplier, by.output_shift);
    return esq_mve_clamp(level, by.output_zp, by.clamp_min, by.clamp_max);
}

static void add_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_add by = *(const struct esq_add *)params;
    for (; count >= 4; count -= 4, first += 4, second += 4, result += 4) {
        vstrbq_s32(result, sum(vldrbq_s32(first), vldrbq_s32(second), by));
    }
    if (count > 0) {
        const mve_pred16_t there = vctp32q(count);
        const int32x4_t one = vldrbq_z_s32(first, there);
        vstrbq_p_s32(result, sum(one, vldrbq_z_s32(second, there), by), there);
    }
}

void esq_run_add_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, add_values);
}

#endif
