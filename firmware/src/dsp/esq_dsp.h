/* Convolution sums on cores with the DSP extension (Armv7E-M, Armv8-M Mainline with DSP).
 *
 * Two output channels A and B share one 16-bit lane as 256 A + B, the same bytes as two int8. SMLAD
 * on the raw word accumulates 256 S_A + S_B, and on the B bytes alone (one SXTB16) S_B; so one
 * unpack serves two channels and 256 S_A is the difference. Exact for S_A in [-2^23, 2^23); export
 * checks. Where a sum may leave that, it is summed up ESQ_DSP_SEGMENT values at a time.
 * Mirror: edgesq/kernels/dsp/pack.py.
 */
#ifndef ESQ_DSP_H
#define ESQ_DSP_H

#include "../esq_windows.h"
#include "esq_dsp_ops.h"

/* Columns of a window that slides by one column; other windows are unpacked value by value. */
#define ESQ_DSP_SLIDE_COLUMNS 3u

/* Values under a window of which no weights make a sum of A that leaves 24 bits: 127 * 255 each. */
#define ESQ_DSP_SEGMENT 256u

/* What a kernel computes: all channel pairs of `table` for n pixels.
 *
 * each    A group is four values of every pixel's window: words [2][n], lanes (0, 2) then (1, 3).
 * slide   A group is four channels of n + 2 columns of a kernel row: words [2][n + 2] likewise.
 *
 * activations  int16 lanes, input minus zero point.
 * weights      uint32 [pairs][groups][2][1, or 3 columns]; `gap_bytes` are skipped after each pair.
 * table        per pair: the sums to begin with, 256 A + B and B, then what the kernel's end needs;
 *              table_end: past the last pair, at least one.
 * result       sums: int32 [pairs][2][n]. Others: int8, n pixels `pixel_bytes` apart.
 */
struct esq_dsp_job {
    const uint32_t *activations;
    uint32_t groups;
    const uint32_t *weights;
    const int32_t *table;
    const int32_t *table_end;
    void *result;
    uint32_t pixel_bytes;
    uint32_t gap_bytes;
};

/* Unpacks 4 * groups values of each of three columns, `step_bytes` apart, to lanes [groups][2][3],
 * `minus_zp` in both halves added; returns the end of the lanes. */
uint32_t *esq_dsp_unpack_3(const int8_t *values, uint32_t step_bytes, uint32_t groups,
                           uint32_t minus_zp, uint32_t *lanes);

/* Sums [6][4 channels] of a tile [6][8 * iterations] with weights [6][8 * iterations][4]; of the
 * tile `gap_bytes` are left out after each 8 * iterations. */
void esq_dsp_winograd(const uint32_t *tile, const uint32_t *weights, uint32_t *sums,
                      uint32_t iterations, uint32_t gap_bytes);

/* One output channel's weights, int8 [groups][3 columns][4], to the six values of Winograd's
 * F(4, 3): every fourth word of [6][2 * groups][4 channels], the values `step_bytes` apart. */
void esq_dsp_winograd_weights(const uint32_t *raw, uint32_t groups, uint32_t step_bytes,
                              uint32_t *to);

/* Sums [n][4 channels] up to `sums_end` of a tile [n][8 * iterations] with weights
 * [n][8 * iterations][4]. */
void esq_dsp_squares(const uint32_t *tile, const uint32_t *weights, uint32_t *sums,
                     uint32_t iterations, const uint32_t *sums_end);

/* One output channel's weights, int8 [groups][3][3][4], to its values: every fourth word of
 * [values][2 * groups][4 channels], the values `value_bytes` apart. */
typedef void esq_dsp_squares_weights_fn(const uint32_t *raw, uint32_t groups, uint32_t value_bytes,
                                        uint32_t *to);

/* Where four channels of a square of pixels go. */
struct esq_square {
    int8_t *rows[4];
    uint32_t height;     /* rows that are there */
    uint32_t offsets[3]; /* of the second to fourth pixel, or of the last one that is there */
};

/* From sums [values][4 channels] to int8; table [4]: multiplier, constant and right shift of the
 * short requantization, and the bias times the way's scale. */
typedef void esq_dsp_squares_end_fn(uint32_t *sums, const int32_t *table,
                                    const struct esq_square *square);

/* By rows of pixels that are computed together: 36 or 24 values. */
esq_dsp_squares_weights_fn esq_dsp_squares_weights_4;
esq_dsp_squares_weights_fn esq_dsp_squares_weights_2;
esq_dsp_squares_end_fn esq_dsp_squares_end_4;
esq_dsp_squares_end_fn esq_dsp_squares_end_2;

typedef void esq_dsp_kernel(const struct esq_dsp_job *job);

/* Requantized, table rows [8]: sums, then M, C and shift of A and of B. relu: where results below
 * the zero point clamp to it. linear: any. */
esq_dsp_kernel esq_dsp_each_relu_1;
esq_dsp_kernel esq_dsp_each_relu_2;
esq_dsp_kernel esq_dsp_each_relu_3;
esq_dsp_kernel esq_dsp_slide_relu_1;
esq_dsp_kernel esq_dsp_slide_relu_2;
esq_dsp_kernel esq_dsp_slide_relu_3;
esq_dsp_kernel esq_dsp_each_linear_1;
esq_dsp_kernel esq_dsp_each_linear_2;
esq_dsp_kernel esq_dsp_each_linear_3;
esq_dsp_kernel esq_dsp_slide_linear_1;
esq_dsp_kernel esq_dsp_slide_linear_2;
esq_dsp_kernel esq_dsp_slide_linear_3;

/* Plain sums; table rows [2]. */
esq_dsp_kernel esq_dsp_each_sums_1;
esq_dsp_kernel esq_dsp_each_sums_2;
esq_dsp_kernel esq_dsp_each_sums_3;
esq_dsp_kernel esq_dsp_slide_sums_1;
esq_dsp_kernel esq_dsp_slide_sums_2;
esq_dsp_kernel esq_dsp_slide_sums_3;

/* The input under one output row of a convolution. */
struct esq_dsp_view {
    const struct esq_conv2d_dsp *params;
    const struct esq_slot *input;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct esq_present present;
    uint32_t minus_zp; /* in both lanes */
    uint32_t *work;
};

/* Unpacks the windows of `pixels` output pixels from `column` on into view->work. */
typedef void esq_dsp_unpack_fn(const struct esq_dsp_view *view, uint32_t column, uint32_t pixels);

esq_dsp_unpack_fn esq_dsp_unpack_columns;
esq_dsp_unpack_fn esq_dsp_unpack_slide;
esq_dsp_unpack_fn esq_dsp_unpack_windows;
esq_dsp_unpack_fn esq_dsp_unpack_staged; /* padded rows too */

/* Output channels [first, first + channels) of `pixels` neighbouring output pixels. */
struct esq_dsp_block {
    uint32_t first;
    uint32_t channels;
    uint32_t pixels;
    int8_t *result; /* channel `first` of the first pixel */
    uint32_t pixel_bytes;
};

/* Computes a block for pixels whose windows are unpacked, by params->way->kernels. */
typedef void esq_dsp_finish_fn(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                               const struct esq_dsp_block *block);

esq_dsp_finish_fn esq_dsp_finish_short;
esq_dsp_finish_fn esq_dsp_finish_odd;
esq_dsp_finish_fn esq_dsp_finish_any;
esq_dsp_finish_fn esq_dsp_finish_once;

struct esq_dsp_way {
    esq_dsp_unpack_fn *unpack;
    esq_dsp_finish_fn *finish;
    esq_dsp_kernel *kernels[3]; /* by pixels, less one */
    uint8_t has_padded_rows;    /* 1: they are unpacked as well; 0: they are left out */
    uint8_t upper_bits;         /* that A's sums still stand higher when they are multiplied */
};

/* Makes rows of the table for the short requantization, int32 [count / 2, 8], of channels from
 * `first` on, which is even. */
void esq_dsp_enter_rows(const struct esq_conv2d_dsp *params, const struct esq_channels *channels,
                        uint32_t first, uint32_t count, int32_t *row);

#endif
