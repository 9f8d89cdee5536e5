/* MUL on MVE. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_requantize_mve.h"

static void mul(const struct esq_mul *params, const int8_t *first, const int8_t *second,
                uint32_t count, int8_t *result) {
    const int32_t left = params->shift > 0 ? params->shift : 0;
    const int32x4_t multiplier = vdupq_n_s32(params->multiplier);
    const int32x4_t lefts = vdupq_n_s32(left);
    const int32x4_t minus_right = vdupq_n_s32(params->shift - left);
    for (uint32_t i = 0; i < count; i += 4) {
        const mve_pred16_t there = vctp32q(count - i);
        const int32x4_t one = vsubq_n_s32(vldrbq_z_s32(first + i, there), params->input_zp[0]);
        const int32x4_t two = vsubq_n_s32(vldrbq_z_s32(second + i, there), params->input_zp[1]);
        const int32x4_t scaled =
            esq_mve_requantize(vmulq_s32(one, two), multiplier, lefts, minus_right);
        const int32x4_t value =
            esq_mve_clamp(scaled, params->output_zp, params->clamp_min, params->clamp_max);
        vstrbq_p_s32(result + i, value, there);
    }
}

void esq_run_mul_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        struct esq_operands from = esq_operands_of(op, params->constant, arena, progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            mul(params, from.at[0].pixel, from.at[1].pixel, op->output->channels, result);
            esq_operands_step(&from);
            result += op->output->pixel_bytes;
        }
    }
}

#endif
