/* Depthwise 3x3 on Armv7-M without the DSP extension (Cortex-M3). */
#ifndef ESQ_DEPTHWISE_V7M_H
#define ESQ_DEPTHWISE_V7M_H

#include "esq_scalar_ops.h"

/* Three output pixels of a row, of all channels; an output channel of each input channel. */
struct esq_depthwise_job {
    const int8_t *rows[3]; /* where the first window's first column is, or would be */
    uint32_t pixel_bytes;  /* of the input */
    const int8_t *weights; /* [channels][9] */
    const struct esq_depthwise_end *ends; /* [channels] */
    int8_t *result;
    uint32_t result_bytes; /* to the next pixel */
    int32_t rounded_zp;    /* 2 output_zp + 1 */
    int32_t input_zp;
    uint32_t beside; /* edge: 1 where the first column lies beside the image, plus 2, the last */
    uint32_t channels;
};

typedef void esq_depthwise_kernel(const struct esq_depthwise_job *job);

/* Windows one column (`beside`) or two (`apart`) from one to the next. */
esq_depthwise_kernel esq_depthwise_beside_inside;
esq_depthwise_kernel esq_depthwise_beside_edge;
esq_depthwise_kernel esq_depthwise_apart_inside;
esq_depthwise_kernel esq_depthwise_apart_edge;

#endif
