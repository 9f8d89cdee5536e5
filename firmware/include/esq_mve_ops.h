/* The operators on MVE (Armv8.1-M with Helium: Cortex-M55, M85). */
#ifndef ESQ_MVE_OPS_H
#define ESQ_MVE_OPS_H

#include "esq_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

struct esq_mve_job;
struct esq_mve_view;
struct esq_conv2d_mve;

/* Enters where the windows of `job->count` output pixels from `column` on lie. */
typedef void esq_mve_locate_fn(const struct esq_mve_view *view, uint32_t column,
                               struct esq_mve_job *job);

/* Computes a job's channels for pixels whose windows are located. */
typedef void esq_mve_finish_fn(const struct esq_conv2d_mve *params, const struct esq_mve_job *job);

/* A convolution; see src/mve/esq_mve.h. */
struct esq_conv2d_mve {
    const int8_t *weights; /* see edgesq/kernels/mve/pack.py */
    const int32_t *table;  /* [quads, 4, 4] */
    const int32_t *edges;  /* [quads, 2, 4] where rows beside the image are left out; else 0 */
    esq_mve_locate_fn *locate;
    esq_mve_finish_fn *finish;
    const struct esq_rescaling *rescaling; /* once: [O] */
    int16_t input_zp;
    int16_t output_zp; /* any: as the clamp */
    int8_t clamp_min;
    int8_t clamp_max;
    uint16_t blocks; /* of 16 values under a window */
    uint8_t columns; /* whose blocks stand together: 3 for slide, else 1 */
    uint8_t pixels;  /* most output pixels located together */
    struct esq_window window;
};

/* A depthwise convolution; see src/mve/esq_depthwise_mve.c. */
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

/* params: struct esq_conv2d_mve; work: what edgesq/kernels/mve/blocks.py says. */
esq_run_fn esq_run_conv2d_mve;
/* params: struct esq_depthwise_mve; work: see src/mve/esq_depthwise_mve.h. */
esq_run_fn esq_run_depthwise_conv2d_mve;
/* params as of the portable functions; maximum: no clamp. */
esq_run_fn esq_run_average_pool_mve;
esq_run_fn esq_run_max_pool_mve;
esq_run_fn esq_run_reduce_mve;
esq_run_fn esq_run_weighted_sum_mve;
esq_run_fn esq_run_mul_mve;
esq_run_fn esq_run_affine_mve;
esq_run_fn esq_run_lookup_mve;

/* Of struct esq_conv2d_mve. */
esq_compute_fn esq_mve_compute;
esq_add_fn esq_mve_add_row;
esq_enter_tile_fn esq_mve_enter_tile;

/* Windows of one pixel without padding, 16 dividing the channels: read where they lie. */
esq_mve_locate_fn esq_mve_direct;
/* 8 dividing the channels: columns of all windows, one after the other. */
esq_mve_locate_fn esq_mve_strip;
/* Any window, row by row, 16 dividing what each takes. */
esq_mve_locate_fn esq_mve_gathered;
/* The short forms for full clamp, channels a multiple of 4: `relu` for zero point -128, where the
 * rounding of negative sums cannot show; `signed` for shifts to the right. With the number of
 * blocks where that is 1 or 2. */
esq_mve_finish_fn esq_mve_finish_relu;
esq_mve_finish_fn esq_mve_finish_relu_1;
esq_mve_finish_fn esq_mve_finish_relu_2;
esq_mve_finish_fn esq_mve_finish_signed;
esq_mve_finish_fn esq_mve_finish_signed_1;
esq_mve_finish_fn esq_mve_finish_signed_2;
/* Both for a strip whose windows have three columns and lie one column apart, 16 dividing the
 * channels. With `edges` the window's first row may lie above the image, or its last below, never
 * both: such a row is left out. */
esq_mve_finish_fn esq_mve_finish_slide;
esq_mve_finish_fn esq_mve_finish_slide_signed;
/* Requantize any convolution. */
esq_mve_finish_fn esq_mve_finish_any;
/* Rescale a FULLY_CONNECTED, which rounds once. */
esq_mve_finish_fn esq_mve_finish_once;

#ifdef __cplusplus
}
#endif

#endif
