/* ADD and SUB on MVE. Mirror: edgesq/kernels/pairs.py. */
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

struct slopes {
    int32_t plain;
    int32_t corrected;
    int32_t offset;
    int32x4_t low;
    int32x4_t high;
};

static inline int32x4_t sum(int32x4_t plain, int32x4_t corrected, int32x4_t correction,
                            struct slopes by) {
    int32x4_t level = vmlaq_n_s32(vaddq_n_s32(correction, by.offset), corrected, by.corrected);
    level = vshrq_n_s32(vmlaq_n_s32(level, plain, by.plain), ESQ_PAIR_BITS);
    return vminq_s32(vmaxq_s32(level, by.low), by.high);
}

static void add_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_weighted_sum *of = params;
    const int8_t *plain = of->corrected ? first : second;
    const int8_t *corrected = of->corrected ? second : first;
    const int8_t *corrections = of->corrections;
    const struct slopes by = {of->slope[1u - of->corrected], of->slope[of->corrected], of->offset,
                              vdupq_n_s32(of->clamp_min), vdupq_n_s32(of->clamp_max)};
    for (; count >= 4; count -= 4, plain += 4, corrected += 4, result += 4) {
        const int32x4_t value = vldrbq_s32(corrected);
        const int32x4_t correction =
            vldrbq_gather_offset_s32(corrections, vreinterpretq_u32_s32(value));
        vstrbq_s32(result, sum(vldrbq_s32(plain), value, correction, by));
    }
    if (count > 0) {
        const mve_pred16_t there = vctp32q(count);
        const int32x4_t value = vldrbq_z_s32(corrected, there);
        const int32x4_t correction =
            vldrbq_gather_offset_z_s32(corrections, vreinterpretq_u32_s32(value), there);
        vstrbq_p_s32(result, sum(vldrbq_z_s32(plain, there), value, correction, by), there);
    }
}

void esq_run_weighted_sum_mve(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_weighted_sum *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, add_values);
}

#endif
