/* The operators on scalar cores (Cortex-M0, M0+, M3, RISC-V, Xtensa). */
#ifndef ESQ_SCALAR_OPS_H
#define ESQ_SCALAR_OPS_H

#include "esq_ops.h"

#ifdef __cplusplus
extern "C" {
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

/* params: struct esq_conv2d_scalar; work: uint32 [taps, pixels / 2], for a lone pixel int8 [taps],
 * then int32 [channels, pixels] for more than 8 channels. */
esq_run_fn esq_run_conv2d_scalar;

/* Of struct esq_conv2d_scalar. */
esq_compute_fn esq_scalar_compute;
esq_add_fn esq_scalar_add_row;
esq_enter_tile_fn esq_scalar_enter_tile;

/* The short requantization, where what is not positive becomes the output's zero point; the exact
 * one; a FULLY_CONNECTED's, which rounds once. */
esq_scalar_end_fn esq_scalar_end_relu;
esq_scalar_end_fn esq_scalar_end_any;
esq_scalar_end_fn esq_scalar_end_once;

#ifdef __cplusplus
}
#endif

#endif
