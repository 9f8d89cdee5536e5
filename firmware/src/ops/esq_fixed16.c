/* Logistic function and hyperbolic tangent in 16 bits. Mirror: edgesq/sequences.py. */
#include "../esq_fixed16.h"

#define ESQ_EXP_MINUS_EIGHTH 28918
#define ESQ_THIRD 10923
#define ESQ_Q2_48_OVER_17 23130
#define ESQ_Q2_MINUS_32_OVER_17 (-15420)
#define ESQ_Q2_ONE 8192
#define ESQ_LOWEST_EXPONENT (-2)

/* exp(-2^k) for k = -2 .. 4, Q0.15. */
static const int16_t exp_minus_powers[] = {25520, 19875, 12055, 4435, 600, 11, 0};
#define ESQ_EXPONENTS ((int32_t)(sizeof exp_minus_powers / sizeof exp_minus_powers[0]))

/* exp(a) for a in [-1/4, 0), Q0.15: Taylor series around -1/8. */
static int32_t exp_of_little(int32_t a) {
    const int32_t x = a + (1 << 12);
    const int32_t x2 = esq_high_mul_16(x, x);
    const int32_t x3 = esq_high_mul_16(x2, x);
    const int32_t x4_over_4 = esq_rounding_divide_by_pot(esq_high_mul_16(x2, x2), 2);
    const int32_t cubic = esq_high_mul_16(x4_over_4 + x3, ESQ_THIRD) + x2;
    const int32_t series = x + esq_rounding_divide_by_pot(cubic, 1);
    return esq_saturate_to_16(ESQ_EXP_MINUS_EIGHTH + esq_high_mul_16(ESQ_EXP_MINUS_EIGHTH, series));
}

/* exp(a) in Q0.15 for a <= 0 with so many bits before the point. */
static int32_t exp_16(int32_t a, int32_t bits) {
    const int32_t fraction = 15 - bits;
    const int32_t quarter = 1 << (fraction - 2);
    const int32_t below = (a & (quarter - 1)) - quarter;
    const int32_t remainder = below - a;
    if (a == 0) {
        return INT16_MAX;
    }
    if (bits > 5 && a < -(32 << fraction)) {
        return 0;
    }
    int32_t result = exp_of_little(below * (1 << bits));
    for (int32_t k = 0; k < ESQ_EXPONENTS && k + ESQ_LOWEST_EXPONENT < bits; k++) {
        if (remainder & (1 << (fraction + k + ESQ_LOWEST_EXPONENT))) {
            result = esq_high_mul_16(result, exp_minus_powers[k]);
        }
    }
    return result;
}

/* 2 / (1 + a) in Q2.13 for a in [0, 1], Q0.15: Newton's division. */
static int32_t reciprocal_16(int32_t a) {
    const int32_t half_denominator = (a + INT16_MAX + 1) >> 1;
    int32_t x = ESQ_Q2_48_OVER_17 + esq_high_mul_16(half_denominator, ESQ_Q2_MINUS_32_OVER_17);
    for (int32_t round = 0; round < 3; round++) {
        const int32_t error = ESQ_Q2_ONE - esq_high_mul_16(half_denominator, x);
        x += esq_saturate_to_16(esq_high_mul_16(x, error) * 4);
    }
    return x;
}

int16_t esq_logistic_16(int16_t x) {
    if (x == 0) {
        return 1 << 14;
    }
    const int32_t part = exp_16(x > 0 ? -x : x, 3);
    const int32_t upper = esq_saturate_to_16(reciprocal_16(part) * 2);
    return (int16_t)(x > 0 ? upper : INT16_MAX - upper);
}

int16_t esq_tanh_16(int16_t x, uint32_t bits) {
    if (x == 0) {
        return 0;
    }
    const int32_t part = exp_16(x > 0 ? -x : x, (int32_t)bits + 1); /* of 2 x */
    const int32_t upper = esq_saturate_to_16((reciprocal_16(part) - ESQ_Q2_ONE) * 4);
    return (int16_t)(x > 0 ? upper : -upper);
}
