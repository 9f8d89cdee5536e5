/* The operators on scalar cores (Cortex-M0, M0+, M3, RISC-V, Xtensa). */
#ifndef ESQ_SCALAR_OPS_H
#define ESQ_SCALAR_OPS_H

#include "esq_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether values that are not zero may be listed instead of set out. On Armv7-M a listed product
 * takes twice the time of a set out one, and at most half of the values are listed. */
#if defined(__ARM_ARCH_7M__)
#define ESQ_SCALAR_LISTS 0
#else
#define ESQ_SCALAR_LISTS 1
#endif

/* What lists need of a convolution; it takes no flash where there are none. */
#define ESQ_MAYBE_UNUSED __attribute__((unused))
#if ESQ_SCALAR_LISTS
#define ESQ_SCALAR_SUMS(sums) (sums)
#else
#define ESQ_SCALAR_SUMS(sums) 0
#endif

struct esq_scalar_block;

/* Ends the sums of a block; see src/scalar/esq_scalar.h. By name, so that the linker leaves out
 * what no operator of a model needs. */
typedef void esq_scalar_end_fn(const struct esq_scalar_block *block);

/* A convolution; see src/scalar/esq_scalar.h. */
struct esq_conv2d_scalar {
    const int8_t *weights; /* [O, taps of a window, up to a multiple of 4], word aligned */
    const int32_t *bias;   /* [O], the input's zero point folded in */
    union {
        const int32_t *multiplier;             /* [O] */
        const struct esq_rescaling *rescaling; /* [O]: once */
    };
    const int8_t *shift; /* [O]; once: 0 */
    const int16_t
        *weight_sums; /* [O], minus each; 0: the input is never taken as values not zero */
    esq_scalar_end_fn *end;
    int16_t input_zp;
    int16_t output_zp;
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t pixels;    /* most output pixels computed together: 1, 2 or 4 */
    uint16_t taps;     /* set out together, a multiple of 4 */
    uint16_t channels; /* whose sums are held together; up to 8 on the stack */
    struct esq_window window;
};

struct esq_depthwise_way;

/* Bits of a right shift beside a bias. */
#define ESQ_RIGHT_BITS 5

/* How the sums of one output channel begin and end. */
struct esq_depthwise_end {
    int32_t bias_right; /* the bias, the input's zero point folded in, and the right shift in the
                         * lowest ESQ_RIGHT_BITS bits */
    int32_t multiplier; /* Q0.31 */
};

/* A depthwise convolution; see src/scalar/esq_depthwise_scalar.c. Results saturate to int8. */
struct esq_depthwise_scalar {
    const int8_t *weights;                /* [O, kernel_h, kernel_w] */
    const struct esq_depthwise_end *ends; /* [O] */
    const struct esq_depthwise_way *way;
    struct esq_window window;
    uint16_t taps;    /* under a window */
    uint16_t outputs; /* channels */
    uint16_t each;    /* of an input channel */
    int16_t input_zp;
    int16_t output_zp;
};

/* MUL, p the product of the values less their zero points, saturated to int8:
 *     high = (p * whole + (p * fraction >> 15) + 2^14) >> 15
 *     (high - (1 where p < 0) + addend) >> right */
#define ESQ_FRACTION_BITS 15

struct esq_mul_scalar {
    const struct esq_constant *constant[2]; /* as of struct esq_add */
    int32_t addend;
    int16_t input_zp[2];
    int16_t whole;
    int16_t fraction;
    uint8_t right;
};

/* params: struct esq_conv2d_scalar; work: uint32 [taps, pixels / 2], for a lone pixel int8 [taps],
 * then int32 [channels, pixels] for more than 8 channels. */
esq_run_fn esq_run_conv2d_scalar;

/* params: struct esq_depthwise_scalar. */
esq_run_fn esq_run_depthwise_conv2d_scalar;
/* params: struct esq_mul_scalar. */
esq_run_fn esq_run_mul_scalar;
/* params as of the portable functions; clamps are those of int8. */
esq_run_fn esq_run_affine_scalar;
esq_run_fn esq_run_max_pool_scalar;
/* params as of the portable functions; average: at most 256 pixels in a window. */
esq_run_fn esq_run_average_pool_scalar;
esq_run_fn esq_run_reduce_scalar;

/* Of struct esq_conv2d_scalar. */
esq_compute_fn esq_scalar_compute;
esq_add_fn esq_scalar_add_row;
esq_enter_tile_fn esq_scalar_enter_tile;

/* The short requantization, where what is not positive becomes the output's zero point; the exact
 * one; a FULLY_CONNECTED's, which rounds once. */
esq_scalar_end_fn esq_scalar_end_relu;
esq_scalar_end_fn esq_scalar_end_any;
esq_scalar_end_fn esq_scalar_end_once;

/* How a depthwise convolution finds its windows; by name, so that the linker leaves out what no
 * operator of a model needs. Windows three or five wide, one (`beside`) or two (`apart`) columns
 * from one to the next, at most half a window beside the image and at least three in a row; `any`:
 * all others. */
extern const struct esq_depthwise_way esq_scalar_beside_3;
extern const struct esq_depthwise_way esq_scalar_apart_3;
extern const struct esq_depthwise_way esq_scalar_beside_5;
extern const struct esq_depthwise_way esq_scalar_any;

#ifdef __cplusplus
}
#endif

#endif
