/* TensorFlow Lite's fixed-point arithmetic.
 * Source: TensorFlow Lite kernels/internal/common.h, gemmlowp fixedpoint.h.
 * Mirror: edgesq/arithmetic.py.
 */
#ifndef ESQ_ARITHMETIC_H
#define ESQ_ARITHMETIC_H

#include <stdint.h>

/* round(a * b / 2^31), halves up. a and b are never both INT32_MIN here. */
static inline int32_t esq_doubling_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1LL << 30)) >> 31);
}

/* x / 2^exponent, halves away from zero; exponent in [0, 31]. */
static inline int32_t esq_rounding_divide_by_pot(int32_t x, int32_t exponent) {
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31); x << shift must fit int32. */
static inline int32_t esq_requantize(int32_t x, int32_t multiplier, int32_t shift) {
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t widened = (int32_t)((uint32_t)x << left);
    return esq_rounding_divide_by_pot(esq_doubling_high_mul(widened, multiplier), right);
}

/* Bits behind the point of a FULLY_CONNECTED's multipliers. */
#define ESQ_RESCALE_BITS 52

/* sum * multiplier * 2^-52, halves away from zero; |sum| counts up to `limit`, which saturates any
 * output, and limit * multiplier < 2^62. */
static inline int32_t esq_rescale(int32_t sum, uint64_t multiplier, uint32_t limit) {
    const uint32_t magnitude = sum < 0 ? 0u - (uint32_t)sum : (uint32_t)sum;
    const uint64_t product = (magnitude > limit ? limit : magnitude) * multiplier;
    const int32_t level =
        (int32_t)((product + (1ull << (ESQ_RESCALE_BITS - 1))) >> ESQ_RESCALE_BITS);
    return sum < 0 ? -level : level;
}

/* x * 2^bits saturated to int32. */
static inline int32_t esq_saturating_shift_left(int32_t x, int32_t bits) {
    const int64_t wide = (int64_t)x * (1LL << bits);
    if (wide > INT32_MAX) {
        return INT32_MAX;
    }
    return wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

static inline int16_t esq_saturate_to_16(int32_t x) {
    if (x < INT16_MIN) {
        return INT16_MIN;
    }
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x);
}

/* x as int8. The branch is seldom taken; a core that has an instruction for this uses that. */
static inline int8_t esq_saturated(int32_t x) {
#if defined(__ARM_FEATURE_SAT)
    __asm("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    return (int8_t)x;
#else
    const int8_t cut = (int8_t)x;
    return cut == x ? cut : (int8_t)(x >> 31 ^ INT8_MAX);
#endif
}

static inline int8_t esq_clamp(int32_t x, int32_t low, int32_t high) {
    if (x < low) {
        return (int8_t)low;
    }
    return (int8_t)(x > high ? high : x);
}

#endif
