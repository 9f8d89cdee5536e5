/* ADD and SUB without TensorFlow Lite's roundings. Mirror: edgesq/kernels/pairs.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"
#include "esq_ops.h"

/* The values of both operands that are added: which of them is corrected is the model's. */
struct addends {
    const int8_t *plain;
    const int8_t *corrected;
    const int8_t *corrections;
    int32_t plain_slope;
    int32_t slope;
    int32_t offset;
};

static struct addends addends_of(const struct esq_weighted_sum *by, const int8_t *first,
                                 const int8_t *second) {
    return (struct addends){
        by->corrected ? first : second, by->corrected ? second : first, by->corrections,
        by->slope[1u - by->corrected],  by->slope[by->corrected],       by->offset};
}

static inline int32_t level(const struct addends *of, uint32_t k) {
    const int32_t value = of->corrected[k];
    return (of->plain[k] * of->plain_slope + of->offset + value * of->slope +
            of->corrections[value]) >>
           ESQ_PAIR_BITS;
}

static void add_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct addends of = addends_of(params, first, second);
    for (uint32_t k = 0; k < count; k++) {
        result[k] = esq_saturated(level(&of, k));
    }
}

static void add_clamped(const void *params, const int8_t *first, const int8_t *second,
                        uint32_t count, int8_t *result) {
    const struct esq_weighted_sum *by = params;
    const struct addends of = addends_of(by, first, second);
    const int32_t low = by->clamp_min;
    const int32_t high = by->clamp_max;
    for (uint32_t k = 0; k < count; k++) {
        result[k] = esq_clamp(level(&of, k), low, high);
    }
}

void esq_run_weighted_sum(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_weighted_sum *params = op->params;
    const int is_whole = params->clamp_min == INT8_MIN && params->clamp_max == INT8_MAX;
    esq_operands_band(op, params->constant, arena, progress, is_whole ? add_values : add_clamped);
}
