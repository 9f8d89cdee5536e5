/* MUL on cores without DSP. Mirror: edgesq/kernels/pairs.py. */
#include "../esq_operands.h"
#include "esq_scalar_values.h"
#include "esq_scalar_ops.h"

/* The multiplier is in two parts of at most 15 bits, so that no product needs more than 32. */
static void mul_values(const void *params, const int8_t *first, const int8_t *second,
                       uint32_t count, int8_t *result) {
    const struct esq_mul_scalar by = *(const struct esq_mul_scalar *)params;
    for (; count > 0; count--) {
        const int32_t product = (*first++ - by.input_zp[0]) * (*second++ - by.input_zp[1]);
        const int32_t parts = product * by.whole + (product * by.fraction >> ESQ_FRACTION_BITS);
        const int32_t high = (parts + (1 << (ESQ_FRACTION_BITS - 1))) >> ESQ_FRACTION_BITS;
        *result++ = esq_saturated((high + (product >> 31) + by.addend) >> by.right);
    }
}

void esq_run_mul_scalar(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_mul_scalar *params = op->params;
    esq_operands_band(op, params->constant, arena, progress, mul_values);
}
