/* The operators in portable C, and what the kernel families share: parameters that export computes,
 * and the functions that the tables name. esq_scalar_ops.h, esq_dsp_ops.h and esq_mve_ops.h add the
 * families' own.
 *
 * Every esq_run_* takes the next step: it reads rows from the rings of op->input, writes rows to
 * the ring of op->output and moves `progress` on. The schedule has made sure that the rows are
 * there and that nothing still needed is overwritten. All arithmetic equals TensorFlow Lite's
 * reference kernels.
 */
#ifndef ESQ_OPS_H
#define ESQ_OPS_H

#include "esq_fused.h"
#include "esq_int16_ops.h"
#include "esq_model.h"
#include "esq_sequence.h"
#include "esq_streamed.h"
#include "esq_values.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels that a convolution hands to a reduction at a time. */
#define ESQ_STRIP_PIXELS 2u

/* How a FULLY_CONNECTED rescales one output channel's sums: rounded once, see esq_rescale(). */
struct esq_rescaling {
    uint64_t multiplier;
    uint32_t limit;
};

/* A convolution in portable C; a FULLY_CONNECTED's window is the whole image, or one pixel.
 *
 * real = scale * (q - zero_point); multiplier Q0.31; shift in [-31, 30], left if positive. */
struct esq_conv2d {
    const int8_t *weights; /* [O, kernel_h, kernel_w, depth]; depthwise [kernel_h, kernel_w, O] */
    const int32_t *bias;   /* [O] */
    union {
        const int32_t *multiplier;             /* [O] */
        const struct esq_rescaling *rescaling; /* [O], of a FULLY_CONNECTED */
    };
    const int8_t *shift; /* [O]; a FULLY_CONNECTED has none */
    struct esq_window window;
    int16_t input_zp;
    int16_t output_zp;
    int8_t clamp_min;
    int8_t clamp_max;
    uint16_t depth; /* input channels under a window: of groups each their own, in order */
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

/* MEAN, SUM, REDUCE_MAX or REDUCE_MIN along any axes: an int32 for each value of an output row,
 * kept from row to row where rows are added up, else in working memory. */
struct esq_reduction {
    int32_t multiplier; /* MEAN: 1 / count folded in */
    int32_t offset;     /* input zero point * count */
    int16_t output_zp;
    int8_t shift;
    int8_t flip; /* REDUCE_MIN: -1, which turns the order of values around; else 0 */
    uint8_t over_rows;
    uint8_t over_columns;
    uint8_t over_channels;
};

/* Output rows [first, end) of a convolution, and which of its output channels. */
struct esq_rows {
    uint32_t first;
    uint32_t end;
    uint32_t channel;  /* of the output: where the convolution's parameters begin */
    uint32_t channels; /* that they have */
};

/* Computes rows of op->output; `conv`: the kernel family's struct. */
typedef void esq_compute_fn(const void *conv, const struct esq_op *op, int8_t *arena,
                            const struct esq_rows *rows);

/* Adds the pixels of row rows->first of `output`, which lives nowhere, to sums [rows->channels]. */
typedef void esq_add_fn(const void *conv, const struct esq_op *op, int8_t *arena,
                        const struct esq_rows *rows, const struct esq_slot *output, int32_t *sums);

/* Part of a convolution: a mean over the image, which alone reads its output. */
struct esq_mean {
    esq_add_fn *add;
    struct esq_slot rows; /* the convolution's output: its shape */
    struct esq_reduce reduce;
};

/* A convolution of any kernel family with parts that not every one has. All functions are named in
 * the data, so that the linker leaves out what no operator of a model needs. */
struct esq_conv2d_parts {
    const void *conv;              /* struct esq_conv2d, or a family's: esq_conv2d_dsp, ... */
    esq_compute_fn *compute;       /* 0 where there is a mean */
    const struct esq_tiled *tiled; /* some channels at a time; 0: all */
    const struct esq_mean *mean;   /* 0: the output is written */
};

/* A grouped convolution that a kernel family runs group by group: an array of its structs. */
struct esq_groups {
    void (*run)(const struct esq_op *op, int8_t *arena, struct esq_progress *progress);
    const void *convs;
    uint16_t conv_bytes; /* from one group's to the next one's */
    uint16_t count;
};

/* A phase of a dilated or transposed convolution: a plain one on some columns and rows. */
struct esq_phase {
    uint16_t first_row;     /* what its window counts the first row that it makes as */
    uint16_t input_first;   /* column of the input that it counts as the first */
    uint16_t output_first;  /* column of the output that it makes first */
    uint16_t input_columns; /* that it sees */
    uint16_t output_columns;
};

/* A dilated or transposed convolution as plain ones of a kernel family. */
struct esq_phases {
    void (*run)(const struct esq_op *op, int8_t *arena, struct esq_progress *progress);
    const void *convs;              /* [rows * columns] of the family's structs */
    const struct esq_phase *phases; /* [rows * columns] */
    uint16_t conv_bytes;            /* from one conv to the next */
    uint16_t rows;                  /* of the output until the same phases make one again */
    uint16_t columns;               /* phases that make a row */
    uint16_t input_step;            /* columns of the input from one to the next of a phase */
    uint16_t output_step;
};

/* An output channel whose weights do not fit 8 bits. */
struct esq_wide_channel {
    int32_t bias;
    uint16_t number;
    uint16_t source;    /* first of its input channels */
    int32_t multiplier; /* not of a FULLY_CONNECTED, nor is the shift */
    int8_t shift;
};

/* A convolution some of whose channels are such: weights of uint8 less their zero point. */
struct esq_wide {
    esq_run_fn *run;        /* of all channels, by weights cut to int8 */
    const void *params;     /* of these */
    const int16_t *weights; /* [count, kernel_h, kernel_w, depth] */
    const struct esq_wide_channel *channels;
    const struct esq_rescaling *rescaling; /* [count], of a FULLY_CONNECTED; else 0 */
    struct esq_window window;
    uint16_t count;
    uint16_t depth;
    uint16_t dilation_w; /* columns from one tap to the next */
    int16_t input_zp;
    int16_t output_zp;
    int8_t clamp_min;
    int8_t clamp_max;
};

/* params: struct esq_conv2d. */
esq_run_fn esq_run_conv2d;
esq_run_fn esq_run_grouped_conv2d;
esq_run_fn esq_run_depthwise_conv2d;
esq_run_fn esq_run_fully_connected;
/* params: struct esq_conv2d_parts; work: as of its kernel family's convolution (portable with a
 * mean: int8 [ESQ_STRIP_PIXELS, channels]), then what struct esq_tiled says. */
esq_run_fn esq_run_conv2d_parts;
/* params: struct esq_groups; work: as of one group's convolution. */
esq_run_fn esq_run_conv2d_groups;
/* params: struct esq_wide; work: as of the kernel that it runs first. */
esq_run_fn esq_run_wide;
/* params: struct esq_phases; work: as of one phase's convolution. */
esq_run_fn esq_run_conv2d_phases;
/* params: struct esq_fused; work: where a strip is, what lies between the operators, then what they
 * work in. */
esq_run_fn esq_run_fused;
/* params: struct esq_pool. The window is a ring of input rows. */
esq_run_fn esq_run_average_pool;
/* The same, rounding halves up: uint8 inside. */
esq_run_fn esq_run_halves_up_pool;
/* params: struct esq_pool. A running maximum: a step takes one input row into one output row. */
esq_run_fn esq_run_max_pool;
/* params: struct esq_reduce. Running sums: each input row is used once and dropped. */
esq_run_fn esq_run_reduce;
/* params: struct esq_reduction. MEAN and SUM; REDUCE_MAX and REDUCE_MIN. */
esq_run_fn esq_run_sum;
esq_run_fn esq_run_extreme;
/* params: struct esq_add. An operand that is one pixel meets every pixel of the other; the output
 * may lie where an operand of its size does. */
esq_run_fn esq_run_add;
/* params: struct esq_weighted_sum; operands as of esq_run_add. */
esq_run_fn esq_run_weighted_sum;
/* params: struct esq_mul; operands as of esq_run_add. */
esq_run_fn esq_run_mul;
/* params: struct esq_add; operands as of esq_run_add. */
esq_run_fn esq_run_squared_difference;
/* params: struct esq_extreme; operands as of esq_run_add. */
esq_run_fn esq_run_maximum;
esq_run_fn esq_run_minimum;
/* params: struct esq_prelu; operands as of esq_run_add. */
esq_run_fn esq_run_prelu;
/* params: struct esq_affine. The output may lie where the input does. */
esq_run_fn esq_run_affine;
/* params: struct esq_lookup. The output may lie where the input does. */
esq_run_fn esq_run_lookup;
/* params: struct esq_softmax. Over the channels of each pixel. */
esq_run_fn esq_run_softmax;
/* params: none. Same shape: a concatenation's input that is needed elsewhere too. */
esq_run_fn esq_run_copy;
/* params: struct esq_pick. */
esq_run_fn esq_run_pick;
/* params: struct esq_transpose. Where rows do not stay rows, the ring holds the whole input. */
esq_run_fn esq_run_transpose;
/* params: struct esq_resize. */
esq_run_fn esq_run_resize_bilinear;
/* params: none. Squares of pixels side by side in one, row by row; heights and widths give the
 * size. */
esq_run_fn esq_run_space_to_depth;
/* params: none. The other way round. */
esq_run_fn esq_run_depth_to_space;
/* params: none. Same values in the same order under another shape. */
esq_run_fn esq_run_reshape;

/* params: struct esq_svdf; kept from image to image: int16 [F, memory]. */
esq_run_fn esq_run_svdf;
/* params: struct esq_lstm; kept from image to image: the cell int16 [U], then what was put out
 * last, int8 [U]; work: int16 [ESQ_GATES, U]. */
esq_run_fn esq_run_lstm;

/* Of struct esq_conv2d. */
esq_compute_fn esq_portable_compute;
esq_add_fn esq_portable_add_row;
esq_enter_tile_fn esq_portable_enter_tile;

/* The ends of a reduction, as MEAN and as AVERAGE_POOL_2D round. */
void esq_finish_mean(const struct esq_reduce *params, const int32_t *sums, uint32_t channels,
                     int8_t *result);
void esq_finish_average_pool(const struct esq_reduce *params, const int32_t *sums,
                             uint32_t channels, int8_t *result);
/* The same, halves up: uint8 inside. */
void esq_finish_halves_up_pool(const struct esq_reduce *params, const int32_t *sums,
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
