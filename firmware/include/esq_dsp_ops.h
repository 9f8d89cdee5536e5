/* The operators on the DSP extension (Armv7E-M, Armv8-M Mainline with DSP). */
#ifndef ESQ_DSP_OPS_H
#define ESQ_DSP_OPS_H

#include "esq_ops.h"
#include "esq_streamed.h"

#ifdef __cplusplus
extern "C" {
#endif

struct esq_dsp_way;

/* An output channel that the short requantization is not exact for, or that has none to share a
 * lane with. */
struct esq_dsp_odd {
    int32_t bias;
    int32_t multiplier;
    uint16_t channel;
    int8_t shift;
};

/* Of a list's last entry, behind all channels. */
#define ESQ_NO_CHANNEL 0xffffu

/* A convolution; see src/dsp/esq_dsp.h. */
struct esq_conv2d_dsp {
    const uint32_t *weights; /* [pairs, groups, 2, slide], see edgesq/kernels/dsp/pack.py */
    const int32_t *table;    /* relu, linear: [pairs, 8]; any, once: bias [O] */
    const struct esq_dsp_way *way;
    union {
        const int32_t *multiplier;             /* any: [O] */
        const struct esq_rescaling *rescaling; /* once: [O] */
        const struct esq_dsp_odd *odd;         /* relu, linear: ascending; 0: none */
    };
    union {
        const int8_t *shift;               /* any: [O] */
        const struct esq_dsp_way *odd_way; /* relu, linear: how odd channels are computed */
    };
    int8_t clamp_min;
    int8_t clamp_max;
    int16_t output_zp;
    uint16_t first;        /* output channel at which weights and tables begin; 0 but of a tile */
    uint8_t pair_channels; /* 2; 1 where a weight of -128 keeps A empty */
    uint8_t pixels;        /* most output pixels computed together: 1, 2 or 3 */
    uint8_t slide;         /* 3: windows three wide share columns; 1: unpacked one by one */
    int16_t input_zp;
    uint16_t groups; /* of four values: under a window; of one column under it where it slides */
    struct esq_window window;
};

/* How four channels of a depthwise convolution end: as of the ways below. */
enum esq_dsp_end { ESQ_DSP_RELU, ESQ_DSP_LINEAR, ESQ_DSP_ANY };

/* A 3x3 depthwise convolution, stride 1 or 2 along rows, as many outputs as inputs, channels a
 * multiple of 4; see src/dsp/esq_depthwise_dsp.h. */
struct esq_depthwise_dsp {
    const uint32_t *table;     /* [C, 8], see edgesq/kernels/dsp/depthwise.py */
    const uint8_t *ends;       /* [C / 4]: enum esq_dsp_end */
    const int32_t *multiplier; /* [C]; 0 where no channel's end is `any` */
    const int8_t *shift;       /* [C] */
    int8_t clamp_min;
    int8_t clamp_max;
    int16_t output_zp;
    int16_t input_zp;
    uint8_t pixels; /* most output pixels computed together */
    struct esq_window window;
};

/* A depthwise convolution with any window, stride and number of outputs per input; see
 * src/dsp/esq_depthwise_windows_dsp.c. */
struct esq_depthwise_windows_dsp {
    const int8_t *taps;        /* [C, words / 2, 4], see edgesq/kernels/dsp/depthwise_windows.py */
    const int32_t *bias;       /* [C], the input's zero point folded in */
    const int32_t *multiplier; /* [C] */
    const uint8_t *right; /* [C]: right shifts; 0 where the short requantization is not exact */
    const int8_t *shift;  /* [C], of these; 0 where there are none */
    int8_t clamp_min;
    int8_t clamp_max;
    int16_t output_zp;
    int16_t input_zp;
    uint16_t words; /* pairs of taps under a window, a multiple of 3 */
    uint8_t pixels; /* most output pixels computed together */
    struct esq_window window;
};

/* A 3x3 one with the short requantization, its table made some channels at a time for all rows of a
 * band; see src/dsp/esq_depthwise_tabled_dsp.c. */
struct esq_depthwise_tabled_dsp {
    struct esq_depthwise_dsp conv; /* its table 0 */
    const int8_t *taps;            /* [C, 9], by row and column 00 01 10 11 02 20 12 21 22 */
    struct esq_channels channels;  /* the zero point folded into the bias */
    uint32_t table_offset_bytes;   /* into the working memory: uint32 [tile, 8] */
    uint16_t tile;                 /* channels made together, a multiple of 4 */
};

struct esq_squares_way;

/* A convolution three columns wide with stride 1; see src/dsp/esq_winograd_dsp.c. */
struct esq_winograd {
    const uint32_t *weights; /* int16 lanes [O / 4, 6, steps, 4]; streamed: 0 */
    const int32_t *table; /* [O / 4]: bias [4], then multiplier, constant, shift of each; squares:
                                [O]: these, and the bias times 36 or -12 */
    union {
        const struct esq_streamed *streamed;   /* 0: weights lie in flash, transformed */
        const struct esq_squares_way *squares; /* of esq_run_squares_dsp */
    };
    struct esq_window window;
    uint16_t steps; /* of two input values under one column; a multiple of 8 */
    int16_t input_zp;
    int16_t output_zp;
};

/* params: struct esq_conv2d_dsp; work: uint32 [groups, 2, pixels + slide - 1], then, where 4 does
 * not divide the input's channels, int8 [pixels, groups, 4]. */
esq_run_fn esq_run_conv2d_dsp;
/* params: struct esq_depthwise_dsp; work: uint32 [pairs, 4, 3], of column pairs one more than of
 * pixels, or where the stride is 1 than of pairs of pixels. */
esq_run_fn esq_run_depthwise_conv2d_dsp;
/* params: struct esq_depthwise_windows_dsp; work: uint32 [words, rounded up to 2], then uint32
 * [4, or 1 where 4 does not divide the input's channels][columns under the pixels, rounded up to
 * 3][pairs of rows], and 2 more. */
esq_run_fn esq_run_depthwise_conv2d_windows_dsp;
/* params: struct esq_depthwise_tabled_dsp; work: the same, then the table. */
esq_run_fn esq_run_depthwise_conv2d_tabled_dsp;
/* params: struct esq_winograd; work: uint32 [6, steps]. */
esq_run_fn esq_run_winograd_dsp;
/* The same, weights decoded and transformed on the board; work: uint32 [tiles of a row, 6, input
 * rows of a band, C / 2], then what struct esq_streamed says, where rows are a channel's weights as
 * they are decoded, int8 [kernel_rows, C / 4, 3, 4]. */
esq_run_fn esq_run_winograd_dsp_streamed;
/* The same of 3x3 with strides of 1, transformed along both sides; weights int8 [O][C / 4][3][3][4]
 * lie in flash, steps are C / 2; work: uint32 [tiles of a band's rows and columns, n, steps], then
 * [n, steps, 4] for four channels' weights, then [n, 4] for their sums, n being 36 or 24. */
esq_run_fn esq_run_squares_dsp;
/* By output rows of a tile. */
extern const struct esq_squares_way esq_dsp_squares_of_4;
extern const struct esq_squares_way esq_dsp_squares_of_2;
/* params as of the portable functions. Four channels at a time: channels a multiple of 4; average:
 * at most 255 pixels in a window; maximum: pixel distances multiples of 4, no clamp. */
esq_run_fn esq_run_average_pool_dsp;
esq_run_fn esq_run_max_pool_dsp;
esq_run_fn esq_run_reduce_dsp;
/* Where -23 < shift < 0. */
esq_run_fn esq_run_mul_dsp;
esq_run_fn esq_run_affine_dsp;

/* Of struct esq_conv2d_dsp. */
esq_compute_fn esq_dsp_compute;
esq_add_fn esq_dsp_add_row;
/* Weights decoded; of relu with channels, the tile's part of the table made. */
esq_enter_tile_fn esq_dsp_enter_tile;
/* Weights lie in flash; the tile's part of the table made. */
esq_enter_tile_fn esq_dsp_enter_table;

/* How a convolution unpacks its windows and ends its sums; by name, so that the linker leaves out
 * what no operator of a model needs. Windows: `columns` are one column wide,
 * `slide` three, by one column; `staged` are copied, for input channels that are no multiple of 4;
 * `windows`: all others. Ends: `linear` is the short requantization, `relu` a shorter one where
 * results below the zero point are clamped, so that the rounding of negative sums cannot show;
 * `odd` is for channels of these that need another one; `any` for any convolution, `once` for a
 * FULLY_CONNECTED, which rounds once. */
extern const struct esq_dsp_way esq_dsp_columns_relu;
extern const struct esq_dsp_way esq_dsp_columns_linear;
extern const struct esq_dsp_way esq_dsp_columns_odd;
extern const struct esq_dsp_way esq_dsp_columns_any;
extern const struct esq_dsp_way esq_dsp_columns_once;
extern const struct esq_dsp_way esq_dsp_slide_relu;
extern const struct esq_dsp_way esq_dsp_slide_linear;
extern const struct esq_dsp_way esq_dsp_slide_odd;
extern const struct esq_dsp_way esq_dsp_slide_any;
extern const struct esq_dsp_way esq_dsp_slide_once;
extern const struct esq_dsp_way esq_dsp_windows_relu;
extern const struct esq_dsp_way esq_dsp_windows_linear;
extern const struct esq_dsp_way esq_dsp_windows_odd;
extern const struct esq_dsp_way esq_dsp_windows_any;
extern const struct esq_dsp_way esq_dsp_windows_once;
extern const struct esq_dsp_way esq_dsp_staged_relu;
extern const struct esq_dsp_way esq_dsp_staged_linear;
extern const struct esq_dsp_way esq_dsp_staged_odd;
extern const struct esq_dsp_way esq_dsp_staged_any;
extern const struct esq_dsp_way esq_dsp_staged_once;

#ifdef __cplusplus
}
#endif

#endif
