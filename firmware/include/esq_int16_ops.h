/* Operators on int16 with int8 weights: parameters, and the functions that the tables name.
 *
 * A slot counts bytes: its channels are those of a pixel, two of each value. Values lie at even
 * addresses. Zero points are 0.
 */
#ifndef ESQ_INT16_OPS_H
#define ESQ_INT16_OPS_H

#include "esq_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a FULLY_CONNECTED multiplies a sum by: (high * 2^27 + low) * 2^-(shift + 27), 53 bits. */
struct esq_product_s16 {
    uint32_t high;
    uint32_t low;
    uint32_t shift; /* 4 to 61 */
};

/* CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED. */
struct esq_conv2d_s16 {
    const int8_t *weights; /* [O, kernel_h, kernel_w, C]; depthwise [kernel_h, kernel_w, O] */
    const int64_t *bias;   /* [O] */
    union {
        const int16_t *multiplier;             /* [O]: (sum * multiplier + half) >> shift */
        const struct esq_product_s16 *product; /* [O], of a FULLY_CONNECTED */
    };
    const uint8_t *shift; /* [O], 8 to 46; a FULLY_CONNECTED has none */
    struct esq_window window;
    uint16_t dilation_w; /* columns from one tap to the next */
    int16_t clamp_min;
    int16_t clamp_max;
};

/* MAX_POOL_2D and AVERAGE_POOL_2D. */
struct esq_pool_s16 {
    struct esq_window window; /* first: the engine reads it, see struct esq_op */
    int16_t clamp_min;
    int16_t clamp_max;
};

/* A mean over the whole image, from sums int32. */
struct esq_reduce_s16 {
    int32_t multiplier; /* MEAN: 1 / pixels folded in; 0: an average, rounded as a pool does */
    int32_t pixels;
    int16_t clamp_min;
    int16_t clamp_max;
    int8_t shift;
};

/* ADD and SUB, as struct esq_add. */
struct esq_add_s16 {
    int32_t multiplier[2];
    int32_t output_multiplier;
    int16_t clamp_min;
    int16_t clamp_max;
    int8_t shift[2];
    int8_t output_shift;
    int8_t sign;
};

/* QUANTIZE, RELU and RELU6. */
struct esq_rescale_s16 {
    int32_t multiplier;
    int16_t clamp_min;
    int16_t clamp_max;
    int8_t shift;
};

/* LOGISTIC and TANH: their place in a table is (value * multiplier + half) >> shift. */
struct esq_curve_s16 {
    int16_t multiplier;
    uint8_t shift;
};

/* SOFTMAX: brings a distance of 10 below the maximum to 65,535. */
struct esq_softmax_s16 {
    int32_t multiplier;
    int8_t shift;
};

/* params: struct esq_conv2d_s16. */
esq_run_fn esq_run_conv2d_s16;
esq_run_fn esq_run_fully_connected_s16;
esq_run_fn esq_run_depthwise_conv2d_s16;
/* params: struct esq_pool_s16. A running maximum; a ring of input rows. */
esq_run_fn esq_run_max_pool_s16;
esq_run_fn esq_run_average_pool_s16;
/* params: struct esq_reduce_s16. Running sums. */
esq_run_fn esq_run_reduce_s16;
/* params: struct esq_add_s16. The output may lie where an operand does. */
esq_run_fn esq_run_add_s16;
/* params: struct esq_rescale_s16. The output may lie where the input does. */
esq_run_fn esq_run_rescale_s16;
/* params: struct esq_curve_s16; likewise. */
esq_run_fn esq_run_logistic_s16;
esq_run_fn esq_run_tanh_s16;
/* params: struct esq_softmax_s16. Over the channels of each pixel. */
esq_run_fn esq_run_softmax_s16;

#ifdef __cplusplus
}
#endif

#endif
