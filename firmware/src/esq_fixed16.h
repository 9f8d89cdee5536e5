/* Functions of fixed-point numbers of 16 bits, rounded as TensorFlow Lite does.
 * Source: gemmlowp fixedpoint.h with FixedPoint<int16_t>. Mirror: edgesq/sequences.py.
 * Each intermediate fits 16 bits; 32 are what cores compute in. */
#ifndef ESQ_FIXED16_H
#define ESQ_FIXED16_H

#include "esq_arithmetic.h"

/* a * b / 2^15, to nearest. a and b are never both INT16_MIN here. */
static inline int32_t esq_high_mul_16(int32_t a, int32_t b) {
    const int32_t product = a * b;
    return (product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
}

/* 1 / (1 + exp(-x)) in Q0.15 of Q3.12. */
int16_t esq_logistic_16(int16_t x);

/* tanh(x) in Q0.15; `bits` of x are before the point, 0 to 6. */
int16_t esq_tanh_16(int16_t x, uint32_t bits);

#endif
