/* ADD, SUB and MUL with a constant per channel, on MVE. Mirror: edgesq/kernels/affine.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Shifted left so far, a level's byte is the upper one, and the shift saturates. */
#define ESQ_TO_UPPER_BYTE (24 - ESQ_AFFINE_BITS)

static inline int32x4_t levels(int32x4_t values, const int32_t *lines, int32x4_t low,
                               int32x4_t high) {
    const int32x4_t raised = vaddq_s32(vmulq_s32(values, vldrwq_s32(lines)), vldrwq_s32(lines + 4));
    const int32x4_t level = vshrq_n_s32(vqshlq_n_s32(raised, ESQ_TO_UPPER_BYTE), 24);
    return vminq_s32(vmaxq_s32(level, low), high);
}

static void affine_pixel(const struct esq_affine *params, const int8_t *values, uint32_t channels,
                         int8_t *result) {
    const int32x4_t low = vdupq_n_s32(params->clamp_min);
    const int32x4_t high = vdupq_n_s32(params->clamp_max);
    const int32_t *lines = params->table;
    for (; channels >= 4; channels -= 4, values += 4, lines += 8, result += 4) {
        vstrbq_s32(result, levels(vldrbq_s32(values), lines, low, high));
    }
    if (channels > 0) {
        const mve_pred16_t there = vctp32q(channels);
        const int32x4_t last = levels(vldrbq_z_s32(values, there), lines, low, high);
        vstrbq_p_s32(result, last, there);
    }
}

void esq_run_affine_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            affine_pixel(op->params, values, op->output->channels, result);
            values += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}

#endif
