/* ADD and SUB on the DSP extension where one operand has the larger scale: it is only halved.
 *
 * Everything is twice as large as in TensorFlow Lite: SMMLAR, the upper word of a product, then
 * does what a doubling multiplication does. A negative value is lowered by one before its shift, so
 * that halves round away from zero; where it rounds to zero that changes nothing.
 */
#ifndef ESQ_ADD_DSP_H
#define ESQ_ADD_DSP_H

#include <stdint.h>

struct esq_dsp_add {
    int32_t other_offset; /* - zero point << 21 */
    int32_t other_multiplier;
    int32_t other_half; /* 1 << (other_right - 1) */
    int32_t other_right;
    int32_t halved_offset; /* - zero point << 20; of esq_dsp_sub_halved: + */
    int32_t multiplier;
    int32_t addend; /* (1 << (right - 1)) + (output zero point << right) */
    int32_t right;
};

/* Fills [result, end), at least one value, saturated to int8. */
typedef void esq_dsp_add_fn(const int8_t *halved, const int8_t *other, int8_t *result,
                            const int8_t *end, const struct esq_dsp_add *by);

esq_dsp_add_fn esq_dsp_add;        /* halved + other */
esq_dsp_add_fn esq_dsp_sub_other;  /* halved - other */
esq_dsp_add_fn esq_dsp_sub_halved; /* other - halved */

#endif
