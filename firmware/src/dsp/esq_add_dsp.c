/* ADD and SUB on the DSP extension. Mirror: edgesq/reference/binary.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"
#include "esq_add_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* Headroom given to the operands before they are rescaled to a common scale. */
#define ESQ_LEFT_SHIFT 20

/* real * multiplier * 2^-31 >> right, halves away from zero, where right > 0. */
struct rounding {
    int32_t multiplier;
    int32_t half;
    int32_t right;
};

/* An input's way to the common scale. */
struct rescaling {
    struct rounding by;
    int32_t zero_point;
    int32_t factor; /* a power of two */
};

static struct rounding rounding_of(int32_t multiplier, int32_t right) {
    return (struct rounding){multiplier, 1 << (right - 1), right};
}

/* The input with the larger scale is only halved, without a shift: it goes through as twice that,
 * shifted by one, which is exact too, so that one way serves both. */
static struct rescaling rescaling_of(const struct esq_add *params, uint32_t index) {
    const int32_t right = -params->shift[index];
    const int32_t extra = right == 0 ? 1 : 0;
    return (struct rescaling){rounding_of(params->multiplier[index], right + extra),
                              params->input_zp[index], 1 << (ESQ_LEFT_SHIFT + 1 + extra)};
}

/* esq_requantize of doubled / 2 in 4 instructions instead of 14. */
static inline int32_t requantize(int32_t doubled, struct rounding by) {
    int32_t high;
    __asm("smmulr %0, %1, %2" : "=r"(high) : "r"(doubled), "r"(by.multiplier));
    return (high + (high >> 31) + by.half) >> by.right;
}

static inline int32_t rescaled(int8_t value, struct rescaling input) {
    return requantize((value - input.zero_point) * input.factor, input.by);
}

/* Any clamp and any scales: 40 instructions. */
static void add_any(const struct esq_add *params, const int8_t *first, const int8_t *second,
                    uint32_t channels, int8_t *result) {
    const struct rescaling one = rescaling_of(params, 0);
    const struct rescaling two = rescaling_of(params, 1);
    const struct rounding out = rounding_of(params->output_multiplier, -params->output_shift);
    const int32_t sign = params->sign;
    const int32_t output_zp = params->output_zp;
    const int32_t low = params->clamp_min;
    const int32_t high = params->clamp_max;
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t sum = rescaled(first[c], one) + sign * rescaled(second[c], two);
        result[c] = esq_clamp(requantize(sum * 2, out) + output_zp, low, high);
    }
}

/* The operand that is only halved, where the other one is shifted; -1 where there is none. */
static int halved_operand(const struct esq_add *params) {
    if (params->clamp_min != INT8_MIN || params->clamp_max != INT8_MAX) {
        return -1;
    }
    if (params->shift[0] == 0) {
        return params->shift[1] < 0 ? 0 : -1;
    }
    return params->shift[1] == 0 ? 1 : -1;
}

static struct esq_dsp_add constants_of(const struct esq_add *params, int halved) {
    const int32_t other_right = -params->shift[1 - halved];
    const int32_t right = -params->output_shift;
    const int32_t sign = halved == 1 ? -params->sign : -1;
    return (struct esq_dsp_add){
        .other_offset = -params->input_zp[1 - halved] * (1 << (ESQ_LEFT_SHIFT + 1)),
        .other_multiplier = params->multiplier[1 - halved],
        .other_half = 1 << (other_right - 1),
        .other_right = other_right,
        .halved_offset = sign * params->input_zp[halved] * (1 << ESQ_LEFT_SHIFT),
        .multiplier = params->output_multiplier,
        .addend = (1 << (right - 1)) + params->output_zp * (1 << right),
        .right = right,
    };
}

static void add_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_add *add = params;
    const int halved = halved_operand(add);
    if (halved < 0) {
        add_any(add, first, second, count, result);
        return;
    }
    const struct esq_dsp_add by = constants_of(add, halved);
    if (halved == 0) {
        esq_dsp_add_fn *const kernel = add->sign > 0 ? esq_dsp_add : esq_dsp_sub_other;
        kernel(first, second, result, result + count, &by);
    } else {
        esq_dsp_add_fn *const kernel = add->sign > 0 ? esq_dsp_add : esq_dsp_sub_halved;
        kernel(second, first, result, result + count, &by);
    }
}

void esq_run_add_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, add_values);
}

#endif
