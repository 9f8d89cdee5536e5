/* Convolution sums on cores with the DSP extension (Armv7E-M, Armv8-M Mainline with DSP).
 *
 * Two output channels A and B share one 16-bit lane as 256 A + B, the same bytes as two int8. SMLAD
 * on the raw word accumulates 256 S_A + S_B, and on the B bytes alone (one SXTB16) S_B; so one unpack
 * serves two channels and 256 S_A is the difference. Exact for S_A in [-2^23, 2^23); export checks.
 * Mirror: edgesq/codegen/pack_dsp.py.
 */
#ifndef ESQ_DSP_H
#define ESQ_DSP_H

#include "esq_ops.h"

/* Bytes of packed weights that one group of four input values takes, for a channel pair. */
#define ESQ_DSP_GROUP_BYTES 8u

/* What a kernel computes: all channel pairs of `table` for n pixels.
 *
 * activations  int16 lanes, input minus zero point; per step n words, pixel by pixel, each with two
 *              input values; two steps are a group of four values (0, 2 then 1, 3).
 * weights      uint32, per pair `runs` runs of `groups` groups.
 * table        per pair: the sums to begin with, then what the kernel's end needs; table_end past
 *              the last pair.
 * result       relu: int8, n pixels `pixel_bytes` apart. sums: int32 [pairs][2][n].
 * runs         of groups per pair; *_gap_bytes: weights skipped between runs, and after the last.
 */
struct esq_dsp_job {
    const uint32_t *activations;
    uint32_t groups;
    const uint8_t *weights;
    const int32_t *table;
    const int32_t *table_end;
    void *result;
    uint32_t pixel_bytes;
    uint32_t runs;
    uint32_t run_gap_bytes;
    uint32_t end_gap_bytes;
};

typedef void esq_dsp_kernel(const struct esq_dsp_job *job);

/* Requantized where negative results clamp to zero point -128; table rows [8]: sums, (M, C, shift) A, B. */
esq_dsp_kernel esq_dsp_relu_1;
esq_dsp_kernel esq_dsp_relu_2;
esq_dsp_kernel esq_dsp_relu_3;

/* Plain sums; table rows [2]. */
esq_dsp_kernel esq_dsp_sums_1;
esq_dsp_kernel esq_dsp_sums_2;
esq_dsp_kernel esq_dsp_sums_3;

#endif
