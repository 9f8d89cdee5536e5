/* ADD on MVE, about 10 instructions per value. Mirror: edgesq/reference/elementwise.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_requantize_mve.h"

/* Headroom given to the inputs before they are rescaled to a common scale. */
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
            scaled(vaddq_s32(one, two), params->output_multiplier, params->output_shift);
        const int32x4_t value =
            esq_mve_clamp(sum, params->output_zp, params->clamp_min, params->clamp_max);
        vstrbq_p_s32(result + i, value, there);
    }
}

void esq_run_add_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *first = esq_row(arena, op->input[0], progress->out_row);
        const int8_t *second = esq_row(arena, op->input[1], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            add(op->params, first, second, op->output->channels, result);
            first += op->input[0]->pixel_bytes;
            second += op->input[1]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}

#endif
