/* ADD and SUB on cores without DSP. Mirror: edgesq/kernels/scalar/pairs.py. */
#include "../esq_operands.h"
#include "esq_scalar_values.h"
#include "esq_scalar_ops.h"

static void add_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_add_scalar *by = params;
    const int8_t *plain = by->corrected ? first : second;
    const int8_t *corrected = by->corrected ? second : first;
    const int32_t plain_slope = by->slope[1u - by->corrected];
    const int32_t slope = by->slope[by->corrected];
    const int32_t offset = by->offset;
    const int8_t *corrections = by->corrections;
    for (; count > 0; count--) {
        const int32_t value = *corrected++;
        const int32_t sum = *plain++ * plain_slope + offset + value * slope + corrections[value];
        *result++ = esq_saturated(sum >> ESQ_PAIR_BITS);
    }
}

void esq_run_add_scalar(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_add_scalar *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, add_values);
}
