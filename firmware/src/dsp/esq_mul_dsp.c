/* MUL on the DSP extension. Mirror: edgesq/reference/binary.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

#if defined(__ARM_FEATURE_DSP)

/* The product's way to the output: twice the product times the multiplier, rounded to its upper
 * word, then shifted right, halves away from zero. */
struct scaling {
    int32_t zero_point;   /* of operand 0 */
    int32_t minus_double; /* of operand 1 */
    int32_t multiplier;
    int32_t addend; /* half, and the output's zero point */
    int32_t right;
};

static struct scaling scaling_of(const struct esq_mul *params) {
    const int32_t right = -params->shift;
    const int32_t zero_point = params->output_zp * (1 << right);
    return (struct scaling){params->input_zp[0], -2 * params->input_zp[1], params->multiplier,
                            (1 << (right - 1)) + zero_point, right};
}

/* A negative product is lowered by one before the shift, as its half rounds down; where it rounds
 * to zero that changes nothing. */
static inline int32_t scaled(int32_t first, int32_t second, struct scaling by) {
    const int32_t doubled = (first - by.zero_point) * (second * 2 + by.minus_double);
    int32_t high;
    __asm("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(doubled), "r"(by.multiplier), "r"(by.addend));
    return (high + (doubled >> 31)) >> by.right;
}

static inline int8_t saturated(int32_t value) {
    int32_t result;
    __asm("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return (int8_t)result;
}

static void mul_whole(struct scaling by, const int8_t *first, const int8_t *second, uint32_t count,
                      int8_t *result) {
    for (; count >= 4; count -= 4, first += 4, second += 4, result += 4) {
        const int8_t at0 = saturated(scaled(first[0], second[0], by));
        const int8_t at1 = saturated(scaled(first[1], second[1], by));
        const int8_t at2 = saturated(scaled(first[2], second[2], by));
        const int8_t at3 = saturated(scaled(first[3], second[3], by));
        result[0] = at0;
        result[1] = at1;
        result[2] = at2;
        result[3] = at3;
    }
    for (uint32_t c = 0; c < count; c++) {
        result[c] = saturated(scaled(first[c], second[c], by));
    }
}

static void mul_clamped(const struct esq_mul *params, struct scaling by, const int8_t *first,
                        const int8_t *second, uint32_t count, int8_t *result) {
    const int32_t low = params->clamp_min;
    const int32_t high = params->clamp_max;
    for (uint32_t c = 0; c < count; c++) {
        result[c] = esq_clamp(scaled(first[c], second[c], by), low, high);
    }
}

static void mul_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_mul *mul = params;
    if (mul->clamp_min == INT8_MIN && mul->clamp_max == INT8_MAX) {
        mul_whole(scaling_of(mul), first, second, count, result);
    } else {
        mul_clamped(mul, scaling_of(mul), first, second, count, result);
    }
}

void esq_run_mul_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, mul_values);
}

#endif
