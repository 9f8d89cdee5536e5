/* 3x3 depthwise convolution on cores with the DSP extension.
 *
 * Input columns stand in pairs, four channels at a time, in 16-bit lanes: per channel (rows 0 and 1
 * of the first column), the same of the second column, (row 2 of the first, of the second column).
 * The input's zero point is folded into the bias, so that padding is the zero point.
 * Mirror: edgesq/kernels/dsp/depthwise.py.
 */
#ifndef ESQ_DEPTHWISE_DSP_H
#define ESQ_DEPTHWISE_DSP_H

#include "esq_dsp_ops.h"

#define ESQ_DSP_QUAD 4u
#define ESQ_DSP_PAIR_WORDS 12u

/* The column pairs of four channels, made from three rows.
 *
 * rows      each at its first column, or at column 0 where the first is -1; NULL beside the image.
 * zero      the zero point in all four bytes.
 * full_end  past the pairs of which both columns lie inside the image.
 * right     1: in the next one only the first does.
 * end       past the last pair; those left lie beside the image.
 * left      1: before all these, a pair of which only the second column lies inside.
 */
struct esq_dsp_pairs {
    const int8_t *rows[3];
    uint32_t pixel_bytes;
    uint32_t *pairs;
    uint32_t zero;
    const uint32_t *full_end;
    uint32_t right;
    const uint32_t *end;
    uint32_t left;
};

void esq_dsp_make_pairs(const struct esq_dsp_pairs *job);

/* Outputs of up to four channels.
 *
 * pairs       uint32 [iterations + 1][4][3].
 * result      sums: int32, channels `step` bytes apart. Others: int8, pixels `step` bytes apart.
 * iterations  beside: of two outputs; apart: of one. At least one, but for int8 beside with `odd`.
 * table       uint32 [channels][8]: weights as the five words (0,0 1,0) (0,1 1,1) (0,2 1,2)
 *             (2,0 2,1) (2,1 2,2), bias; relu, linear: multiplier, constant.
 * odd         int8 beside: 1 for one more output, else 0.
 */
struct esq_dsp_outputs {
    const uint32_t *pairs;
    void *result;
    uint32_t step;
    uint32_t iterations;
    const uint32_t *table;
    const uint32_t *table_end;
    uint32_t odd;
};

/* Computes some channels of some output rows; the table's first row is that of the first of these
 * channels, and multipliers likewise. */
void esq_dsp_depthwise_rows(const struct esq_depthwise_dsp *params, const struct esq_op *op,
                            int8_t *arena, const struct esq_rows *part);

typedef void esq_dsp_outputs_kernel(const struct esq_dsp_outputs *job);

/* Outputs one column apart. */
esq_dsp_outputs_kernel esq_dsp_depthwise_beside_relu;
esq_dsp_outputs_kernel esq_dsp_depthwise_beside_linear;
esq_dsp_outputs_kernel esq_dsp_depthwise_beside_sums;
/* Outputs two columns apart. */
esq_dsp_outputs_kernel esq_dsp_depthwise_apart_relu;
esq_dsp_outputs_kernel esq_dsp_depthwise_apart_linear;
esq_dsp_outputs_kernel esq_dsp_depthwise_apart_sums;

#endif
