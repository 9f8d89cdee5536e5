/* The operators: parameters that export computes, and the functions the tables name.
 *
 * Every esq_run_* takes the next step: it reads rows from the rings of op->input, writes rows to
 * the ring of op->output and moves `progress` on. The schedule has made sure that the rows are
 * there and that nothing still needed is overwritten. All arithmetic equals TensorFlow Lite's
 * reference kernels.
 */
#ifndef ESQ_OPS_H
#define ESQ_OPS_H

#include "esq_model.h"
#include "esq_streamed.h"
#include "esq_values.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels that a convolution hands to a reduction at a time. */
#define ESQ_STRIP_PIXELS 2u

/* real = scale * (q - zero_point); multiplier Q0.31; shift in [-31, 30], left if positive. */
struct esq_conv2d {
    const int8_t *weights;     /* [O, kernel_h, kernel_w, C] */
    const int32_t *bias;       /* [O] */
    const int32_t *multiplier; /* [O] */
    const int8_t *shift;       /* [O] */
    struct esq_window window;
    int16_t input_zp;
    int16_t output_zp;
    int8_t clamp_min;
    int8_t clamp_max;
};

/* How a FULLY_CONNECTED rescales one output channel's sums: rounded once, see esq_rescale(). */
struct esq_rescaling {
    uint64_t multiplier;
    uint32_t limit;
};

/* Its window is the whole image, or one pixel. */
struct esq_fully_connected {
    struct esq_conv2d conv;                /* without multiplier and shift */
    const struct esq_rescaling *rescaling; /* [O] */
};

/* In groups: output channels in order share the input's, `depth` of them under a window. */
struct esq_grouped_conv2d {
    struct esq_conv2d conv; /* weights [O, kernel_h, kernel_w, depth] */
    uint16_t depth;
};

struct esq_dsp_way;

/* A convolution on the DSP extension; see src/dsp/esq_dsp.h. */
struct esq_conv2d_dsp {
    const uint32_t *weights; /* [pairs, groups, 2, slide], see edgesq/kernels/dsp/pack.py */
    const int32_t *table;    /* relu: [pairs, 8]; any: [pairs, 2] */
    const struct esq_dsp_way *way;
    const int32_t *multiplier;             /* any: [O]; relu: not used, as all below */
    const int8_t *shift;                   /* [O] */
    const struct esq_rescaling *rescaling; /* once: [O], and neither of the two above */
    int8_t clamp_min;
    int8_t clamp_max;
    int16_t output_zp;
    uint8_t pair_channels; /* 2; 1 where sums may leave 24 bits, and A is left empty */
    uint8_t pixels;        /* most output pixels computed together: 1, 2 or 3 */
    uint8_t slide;         /* 3: windows three wide share columns; 1: unpacked one by one */
    int16_t input_zp;
    uint16_t groups; /* of four values: under a window; of one column under it where it slides */
    struct esq_window window;
};

/* A 3x3 depthwise convolution on the DSP extension, stride 1 or 2 along rows, as many outputs as
 * inputs, channels a multiple of 4; see src/dsp/esq_depthwise_dsp.h. */
struct esq_depthwise_dsp {
    const uint32_t *table;     /* [C, 8], see edgesq/kernels/dsp/depthwise.py */
    const int32_t *multiplier; /* any: [C]; relu: 0, as all down to output_zp */
    const int8_t *shift;       /* [C] */
    int8_t clamp_min;
    int8_t clamp_max;
    int16_t output_zp;
    int16_t input_zp;
    uint8_t pixels; /* most output pixels computed together */
    struct esq_window window;
};

/* A convolution three columns wide with stride 1 on the DSP extension; see esq_winograd_dsp.c. */
struct esq_winograd {
    const uint32_t *weights; /* int16 lanes [O / 4, 6, steps, 4] */
    const int32_t *table;    /* [O / 4]: bias [4], then multiplier, constant, shift of each */
    struct esq_window window;
    uint16_t steps; /* of two input values under one column; a multiple of 8 */
    int16_t input_zp;
};

struct esq_mve_job;
struct esq_mve_view;
struct esq_conv2d_mve;

/* Points a job to the windows of `job->count` output pixels from `column` on. */
typedef void esq_mve_locate_fn(const struct esq_mve_view *view, uint32_t column,
                               struct esq_mve_job *job);

/* Computes a job's channels for pixels whose windows are located. */
typedef void esq_mve_finish_fn(const struct esq_conv2d_mve *params, const struct esq_mve_job *job);

/* A convolution on MVE; see src/mve/esq_mve.h. */
struct esq_conv2d_mve {
    const int8_t *weights; /* [quads, 2, blocks, 2, 16], see edgesq/kernels/mve/pack.py */
    const int32_t *table;  /* [quads, 4, 4]; edges: [quads, 6, 4] */
    esq_mve_locate_fn *locate;
    esq_mve_finish_fn *finish;
    const struct esq_rescaling *rescaling; /* once: [O] */
    int16_t input_zp;
    int16_t output_zp; /* any: as the clamp */
    int8_t clamp_min;
    int8_t clamp_max;
    uint16_t blocks;     /* of 16 values under a window */
    uint16_t row_blocks; /* edges: under one row of it; else 0 */
    uint8_t table_row;   /* int32 of `table` per quad: 16 or 24 */
    uint8_t pixels;      /* most output pixels computed together: 1, 2 or 3 */
    struct esq_window window;
};

/* A grouped convolution: struct esq_conv2d_dsp, or _mve, [groups]. */
struct esq_conv2d_groups {
    const void *convs;
    uint16_t groups;
};

/* A depthwise convolution on MVE; see src/mve/esq_depthwise_mve.c. */
struct esq_depthwise_mve {
    const int8_t *weights; /* 16 zeros, then [O, blocks, 16], each column by column, zeros behind */
    const int32_t *table;  /* [quads, 4, 4], as of struct esq_conv2d_mve */
    int16_t input_zp;
    int16_t output_zp; /* not used where `relu`, as the clamp */
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t relu;   /* 1: the short requantization is exact */
    uint8_t blocks; /* of 16 values under a window */
    uint8_t pixels; /* most output pixels computed together */
    struct esq_window window;
};

struct esq_pool {
    struct esq_window window; /* first: the engine reads it, see struct esq_op */
    int8_t clamp_min;
    int8_t clamp_max;
};

/* An average over the whole image, from sums int32 [channels]. */
struct esq_reduce {
    void (*finish)(const struct esq_reduce *params, const int32_t *sums, uint32_t channels,
                   int8_t *result);
    int32_t pixels;
    int32_t multiplier; /* MEAN: 1 / pixels folded in */
    int32_t offset;     /* MEAN: input zero point * pixels */
    int16_t output_zp;
    int8_t shift;
    int8_t clamp_min;
    int8_t clamp_max;
};

struct esq_conv2d_streamed {
    struct esq_conv2d conv;
    struct esq_streamed streamed;
};

struct esq_conv2d_dsp_streamed {
    struct esq_conv2d_dsp conv;
    struct esq_streamed streamed;
};

/* Weights lie in flash; int32 [tile / 2, 8] of the table at a time is made in working memory. */
struct esq_conv2d_dsp_tabled {
    struct esq_conv2d_dsp conv;
    struct esq_channels channels;
    uint32_t rows_offset_bytes;
    uint16_t tile; /* output channels, even */
};

struct esq_winograd_streamed {
    struct esq_winograd conv;
    struct esq_streamed streamed;
};

struct esq_conv2d_mve_streamed {
    struct esq_conv2d_mve conv;
    struct esq_streamed streamed;
};

/* A convolution that only a reduction reads: computed a strip of pixels at a time. */
struct esq_conv2d_reduce {
    struct esq_conv2d conv;
    struct esq_slot rows; /* the convolution's output: its shape; it lives nowhere */
    struct esq_reduce reduce;
};

struct esq_conv2d_reduce_dsp {
    struct esq_conv2d_dsp conv;
    struct esq_slot rows;
    struct esq_reduce reduce;
};

struct esq_conv2d_reduce_mve {
    struct esq_conv2d_mve conv;
    struct esq_slot rows;
    struct esq_reduce reduce;
};

struct esq_conv2d_reduce_streamed {
    struct esq_conv2d_reduce whole;
    struct esq_streamed streamed;
};

struct esq_conv2d_reduce_dsp_streamed {
    struct esq_conv2d_reduce_dsp whole;
    struct esq_streamed streamed;
};

struct esq_conv2d_reduce_mve_streamed {
    struct esq_conv2d_reduce_mve whole;
    struct esq_streamed streamed;
};

typedef void esq_run_fn(const struct esq_op *op, int8_t *arena, struct esq_progress *progress);

/* params: struct esq_conv2d. */
esq_run_fn esq_run_conv2d;
/* The same, weights decoded tile by tile, for all rows of a band; params: struct
 * esq_conv2d_streamed; work: as without a stream, then what struct esq_streamed says. */
esq_run_fn esq_run_conv2d_streamed;
esq_run_fn esq_run_conv2d_dsp_streamed;
esq_run_fn esq_run_conv2d_mve_streamed;
/* params: struct esq_fully_connected. */
esq_run_fn esq_run_fully_connected;
/* params: struct esq_grouped_conv2d. */
esq_run_fn esq_run_grouped_conv2d;
/* params: struct esq_conv2d_groups; work: as of one group's convolution. */
esq_run_fn esq_run_grouped_conv2d_dsp;
esq_run_fn esq_run_grouped_conv2d_mve;
/* params: struct esq_conv2d, weights [kernel_h, kernel_w, O]. */
esq_run_fn esq_run_depthwise_conv2d;
/* params: struct esq_conv2d_dsp; work: uint32 [groups, 2, pixels + slide - 1], then, where 4 does
 * not divide the input's channels, int8 [pixels, groups, 4]. */
esq_run_fn esq_run_conv2d_dsp;
/* params: struct esq_conv2d_dsp_tabled; work: the same, then the rows. */
esq_run_fn esq_run_conv2d_dsp_tabled;
/* params: struct esq_depthwise_dsp; work: uint32 [pairs, 4, 3], of column pairs one more than of
 * pixels, or where the stride is 1 than of pairs of pixels. */
esq_run_fn esq_run_depthwise_conv2d_dsp;
/* params: struct esq_depthwise_mve; work: see src/mve/esq_depthwise_mve.h. */
esq_run_fn esq_run_depthwise_conv2d_mve;
/* params: struct esq_winograd; work: uint32 [6, steps]. */
esq_run_fn esq_run_winograd_dsp;
/* The same, weights decoded and transformed on the board; params: struct esq_winograd_streamed;
 * work: uint32 [tiles of a row, 6, input rows of a band, C / 2], then what struct esq_streamed
 * says, where rows are a channel's weights as they are decoded, int8 [kernel_rows, C / 4, 3, 4]. */
esq_run_fn esq_run_winograd_dsp_streamed;
/* params: struct esq_conv2d_mve; work: int8 [pixels, blocks, 16] for esq_mve_gathered. */
esq_run_fn esq_run_conv2d_mve;
/* params: struct esq_pool. The window is a ring of input rows. */
esq_run_fn esq_run_average_pool;
/* The same, four channels at a time: channels a multiple of 4, at most 255 pixels in a window. */
esq_run_fn esq_run_average_pool_dsp;
/* The same, four channels at a time. */
esq_run_fn esq_run_average_pool_mve;
/* params: struct esq_pool. A running maximum: a step takes one input row into one output row. */
esq_run_fn esq_run_max_pool;
/* The same, four channels at a time: channels and pixel distances multiples of 4, no clamp. */
esq_run_fn esq_run_max_pool_dsp;
/* The same, 16 channels at a time: no clamp. */
esq_run_fn esq_run_max_pool_mve;
/* params: struct esq_reduce. Running sums: each input row is used once and dropped. */
esq_run_fn esq_run_reduce;
/* The same, four channels at a time: channels a multiple of 4. */
esq_run_fn esq_run_reduce_dsp;
/* The same, four channels at a time. */
esq_run_fn esq_run_reduce_mve;
/* params: struct esq_conv2d_reduce; work: int8 [ESQ_STRIP_PIXELS, channels]. */
esq_run_fn esq_run_conv2d_reduce;
/* params: struct esq_conv2d_reduce_dsp; work: as esq_run_conv2d_dsp. */
esq_run_fn esq_run_conv2d_reduce_dsp;
/* params: struct esq_conv2d_reduce_mve; work: as esq_run_conv2d_mve. */
esq_run_fn esq_run_conv2d_reduce_mve;
/* The same three, weights decoded tile by tile, for all rows of a band; params: struct
 * esq_conv2d_reduce_streamed, and so on. */
esq_run_fn esq_run_conv2d_reduce_streamed;
esq_run_fn esq_run_conv2d_reduce_dsp_streamed;
esq_run_fn esq_run_conv2d_reduce_mve_streamed;
/* params: struct esq_add. An operand that is one pixel meets every pixel of the other; the output
 * may lie where an operand of its size does. */
esq_run_fn esq_run_add;
/* The same, where -23 < output_shift < 0, and an operand without a shift has multiplier 2^30. */
esq_run_fn esq_run_add_dsp;
/* The same, four values at a time. */
esq_run_fn esq_run_add_mve;
/* params: struct esq_mul; operands as of esq_run_add. */
esq_run_fn esq_run_mul;
/* The same, where -23 < shift < 0. */
esq_run_fn esq_run_mul_dsp;
/* The same, four values at a time. */
esq_run_fn esq_run_mul_mve;
/* params: struct esq_affine. The output may lie where the input does. */
esq_run_fn esq_run_affine;
/* The same, four channels at a time. */
esq_run_fn esq_run_affine_dsp;
esq_run_fn esq_run_affine_mve;
/* params: struct esq_lookup. The output may lie where the input does. */
esq_run_fn esq_run_lookup;
/* The same, 16 values at a time. */
esq_run_fn esq_run_lookup_mve;
/* params: struct esq_softmax. Over the channels of each pixel. */
esq_run_fn esq_run_softmax;
/* params: none. Same shape: a concatenation's input that is needed elsewhere too. */
esq_run_fn esq_run_copy;
/* params: struct esq_pick. */
esq_run_fn esq_run_pick;
/* params: none. Squares of pixels side by side in one, row by row; heights and widths give the
 * size. */
esq_run_fn esq_run_space_to_depth;
/* params: none. The other way round. */
esq_run_fn esq_run_depth_to_space;
/* params: none. Same values in the same order under another shape. */
esq_run_fn esq_run_reshape;

/* How a convolution on the DSP extension unpacks its windows and ends its sums; by name, so that
 * the linker leaves out what no operator of a model needs. Windows: `columns` are one column wide,
 * `slide` three, by one column; `staged` are copied, for input channels that are no multiple of 4;
 * `windows`: all others. Ends: `relu` requantizes where results below zero point -128 clamp to it
 * anyway, an even number of channels; `any` any convolution, `once` a FULLY_CONNECTED, which rounds
 * once. */
extern const struct esq_dsp_way esq_dsp_columns_relu;
extern const struct esq_dsp_way esq_dsp_columns_any;
extern const struct esq_dsp_way esq_dsp_columns_once;
extern const struct esq_dsp_way esq_dsp_slide_relu;
extern const struct esq_dsp_way esq_dsp_slide_any;
extern const struct esq_dsp_way esq_dsp_slide_once;
extern const struct esq_dsp_way esq_dsp_windows_relu;
extern const struct esq_dsp_way esq_dsp_windows_any;
extern const struct esq_dsp_way esq_dsp_windows_once;
extern const struct esq_dsp_way esq_dsp_staged_relu;
extern const struct esq_dsp_way esq_dsp_staged_any;
extern const struct esq_dsp_way esq_dsp_staged_once;

/* Windows of one pixel without padding, 16 dividing the channels: read where they lie. */
esq_mve_locate_fn esq_mve_direct;
/* Any window, copied. */
esq_mve_locate_fn esq_mve_gathered;
/* Requantize where results below zero point -128 clamp to it anyway; channels a multiple of 4. */
esq_mve_finish_fn esq_mve_finish_relu;
/* The same where the window's first row may lie above the image, or its last below, never both:
 * such a row is left out. */
esq_mve_finish_fn esq_mve_finish_edges;
/* Requantize any convolution. */
esq_mve_finish_fn esq_mve_finish_any;
/* Rescale a FULLY_CONNECTED, which rounds once. */
esq_mve_finish_fn esq_mve_finish_once;

/* The ends of a reduction, as MEAN and as AVERAGE_POOL_2D round. */
void esq_finish_mean(const struct esq_reduce *params, const int32_t *sums, uint32_t channels,
                     int8_t *result);
void esq_finish_average_pool(const struct esq_reduce *params, const int32_t *sums,
                             uint32_t channels, int8_t *result);

/* Part of one row of a convolution.
 *
 * params   weights, bias and requantization.
 * input    slot the rows belong to.
 * rows     [window.height] first bytes of the input rows under the window; NULL for padding.
 * output   shape and pixel distance of the output.
 * columns  output columns to compute.
 * result   first byte of the first of them.
 */
void esq_conv2d_s8(const struct esq_conv2d *params, const struct esq_slot *input,
                   const int8_t *const *rows, const struct esq_slot *output,
                   struct esq_columns columns, int8_t *result);

/* One row of an average pool; arguments as above. */
void esq_average_pool_s8(const struct esq_pool *params, const struct esq_slot *input,
                         const int8_t *const *rows, const struct esq_slot *output, int8_t *result);

#ifdef __cplusplus
}
#endif

#endif
