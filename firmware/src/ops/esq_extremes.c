/* MAXIMUM and MINIMUM. Mirror: edgesq/combine.py. */
#include "../esq_arithmetic.h"
#include "../esq_operands.h"

static void greater_values(const void *params, const int8_t *first, const int8_t *second,
                           uint32_t count, int8_t *result) {
    const struct esq_extreme by = *(const struct esq_extreme *)params;
    for (uint32_t i = 0; i < count; i++) {
        const int8_t found = first[i] > second[i] ? first[i] : second[i];
        result[i] = esq_clamp(found, by.clamp_min, by.clamp_max);
    }
}

static void lesser_values(const void *params, const int8_t *first, const int8_t *second,
                          uint32_t count, int8_t *result) {
    const struct esq_extreme by = *(const struct esq_extreme *)params;
    for (uint32_t i = 0; i < count; i++) {
        const int8_t found = first[i] < second[i] ? first[i] : second[i];
        result[i] = esq_clamp(found, by.clamp_min, by.clamp_max);
    }
}

void esq_run_maximum(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_extreme *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, greater_values);
}

void esq_run_minimum(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_extreme *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, lesser_values);
}
