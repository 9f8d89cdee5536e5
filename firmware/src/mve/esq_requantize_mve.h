/* Four values at a time through TensorFlow Lite's double rounding. Mirror: esq_arithmetic.h. */
#ifndef ESQ_REQUANTIZE_MVE_H
#define ESQ_REQUANTIZE_MVE_H

#include <arm_mve.h>

/* esq_requantize: left >= 0, minus_right <= 0. The sign bit added before the shift makes halves
 * round away from zero; without a shift to the right nothing is added. */
static inline int32x4_t esq_mve_requantize(int32x4_t x, int32x4_t multiplier, int32x4_t left,
                                           int32x4_t minus_right) {
    x = vqrdmulhq_s32(vshlq_s32(x, left), multiplier);
    x = vqaddq_s32(x, vshrq_n_s32(vandq_s32(x, minus_right), 31));
    return vrshlq_s32(x, minus_right);
}

/* esq_clamp of value + zero_point. */
static inline int32x4_t esq_mve_clamp(int32x4_t value, int32_t zero_point, int32_t low,
                                      int32_t high) {
    const int32x4_t raised = vmaxq_s32(vqaddq_n_s32(value, zero_point), vdupq_n_s32(low));
    return vminq_s32(raised, vdupq_n_s32(high));
}

#endif
