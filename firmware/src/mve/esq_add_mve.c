/* ADD and SUB on MVE, about 10 instructions per value. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_requantize_mve.h"

/* Headroom given to the operands before they are rescaled to a common scale. */
#define LEFT_SHIFT 20

static inline int32x4_t scaled(int32x4_t x, int32_t multiplier, int32_t shift) {
    const int32_t left = shift > 0 ? shift : 0;
    return esq_mve_requantize(x, vdupq_n_s32(multiplier), vdupq_n_s32(left),
                              vdupq_n_s32(shift - left));
}

static inline int32x4_t rescaled(const struct esq_add *params, uint32_t index, int32x4_t value) {
    const int32x4_t raised = vshlq_n_s32(vsubq_n_s32(value, params->input_zp[index]), LEFT_SHIFT);
    return scaled(raised, params->multiplier[index], params->shift[index]);
}

static void add(const struct esq_add *params, const int8_t *first, const int8_t *second,
                uint32_t count, int8_t *result) {
    for (uint32_t i = 0; i < count; i += 4) {
        const mve_pred16_t there = vctp32q(count - i);
        const int32x4_t one = rescaled(params, 0, vldrbq_z_s32(first + i, there));
        const int32x4_t two = rescaled(params, 1, vldrbq_z_s32(second + i, there));
        const int32x4_t sum =
            scaled(vmlaq_n_s32(one, two, params->sign), params->output_multiplier, params->output_shift);
        const int32x4_t value =
            esq_mve_clamp(sum, params->output_zp, params->clamp_min, params->clamp_max);
        vstrbq_p_s32(result + i, value, there);
    }
}

void esq_run_add_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        struct esq_operands from = esq_operands_of(op, params->constant, arena, progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            add(params, from.at[0].pixel, from.at[1].pixel, op->output->channels, result);
            esq_operands_step(&from);
            result += op->output->pixel_bytes;
        }
    }
}

#endif
