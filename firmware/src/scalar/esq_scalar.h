/* Convolution sums on cores that multiply one pair of numbers at a time: Cortex-M0, M0+, M3,
 * RISC-V, Xtensa.
 *
 * Two output pixels share a word as x0 + 65536 x1, raw int8 each: a multiplication by a weight is
 * two multiply-accumulates. The products of two taps still fit, for
 *     t = X a + Y b + 2^15, lower half in [0, 2^16)
 * holds unless both weights are -128, which export refuses; then the upper half of t adds up the
 * sum of x1 and t modulo 2^32 the rest. The input's zero point is folded into the bias, so padding
 * is that value.
 *
 * The windows of two or four neighbouring output pixels are set out as such words once, for all
 * output channels; that of a lone pixel, at a row's end, as it is. Three small kernels do the
 * rest, each a function in C that an assembler body may stand for: words, sums, ends.
 * Mirror: edgesq/kernels/scalar/pack.py.
 */
#ifndef ESQ_SCALAR_H
#define ESQ_SCALAR_H

#include "../esq_windows.h"
#include "esq_scalar_ops.h"

/* Assembler bodies that a core has; each takes the place of the C function of that name. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__) || defined(__ARM_ARCH_7M__)
#define ESQ_SCALAR_HAS_WORDS 1
#define ESQ_SCALAR_HAS_SUMS 1
#define ESQ_SCALAR_HAS_RELU 1
#define ESQ_SCALAR_HAS_ANY 1
#endif
#if defined(__ARM_ARCH_7M__)
#define ESQ_SCALAR_HAS_SUMS_3 1
#elif defined(ESQ_SCALAR_HAS_SUMS)
#define ESQ_SCALAR_HAS_SUMS_1 1
#define ESQ_SCALAR_HAS_LISTED 1
#endif

/* Taps come in multiples of this. */
#define ESQ_SCALAR_TAPS 4u

/* Sets out `count` values (at least 1) of two pixels: to[k * step] = lower[k] + 65536 upper[k].
 * Any addresses; words where lower, upper and count allow. `step` is 1 or 2. */
void esq_scalar_words(const int8_t *lower, const int8_t *upper, uint32_t count, uint32_t *to,
                      uint32_t step);

/* Sums of all channels over the taps that are set out.
 *
 * windows    words [taps][1 or 2]: pixels (0, 1), then (2, 3); of a lone pixel int8 [taps], word
 *            aligned.
 * weights    int8 [channels][taps], word aligned; `gap_bytes` are skipped after each channel's
 *            taps, a multiple of 4.
 * taps       a multiple of ESQ_SCALAR_TAPS, at least that.
 * channels   at least 1.
 * sums       int32 [channels][1, 2 or 4], pixels in order: written where `adds` is 0, else added
 *            to, modulo 2^32.
 */
struct esq_scalar_job {
    const void *windows;
    const int8_t *weights;
    uint32_t taps;
    uint32_t gap_bytes;
    uint32_t channels;
    int32_t *sums;
    uint32_t adds;
};

/* A lone pixel. */
void esq_scalar_sums_1(const struct esq_scalar_job *job);
/* One word a tap: two pixels. */
void esq_scalar_sums_2(const struct esq_scalar_job *job);
/* Two words a tap: four pixels. */
void esq_scalar_sums_4(const struct esq_scalar_job *job);
/* As this, where the last word has one pixel twice: its second sum may be anything. */
void esq_scalar_sums_3(const struct esq_scalar_job *job);

/* The ends of sums [channels][width], `pixels` of which exist: int8 `pixel_bytes` apart at result.
 * All arrays begin with the first channel. Declared in esq_scalar_ops.h:
 *
 * esq_scalar_end_relu  where clamp_min is the output's zero point, all shifts are in [-30, 0] and
 *                      bias plus sum stays below 2^30: what is not positive becomes clamp_min
 *                      (though it may be as low as -2^31), all else
 *                          min(zp + rounded(rounded(v * multiplier / 2^31) / 2^-shift), clamp_max),
 *                      halves up.
 * esq_scalar_end_any   any convolution: esq_requantize() and the clamp.
 * esq_scalar_end_once  a FULLY_CONNECTED: esq_rescale() and the clamp.
 */
struct esq_scalar_block {
    const int32_t *sums;
    const int32_t *bias; /* the input's zero point folded in; added modulo 2^32 */
    union {
        const int32_t *multiplier;
        const struct esq_rescaling *rescaling;
    };
    const int8_t *shift;
    uint32_t channels; /* at least 1 */
    uint32_t pixels;   /* 1 to 4 */
    uint32_t width;    /* sums of a channel: 1, 2 or 4 */
    int8_t *result;    /* first channel of the first pixel */
    uint32_t pixel_bytes;
    int32_t output_zp;
    int32_t clamp_min;
    int32_t clamp_max;
};

/* One channel of a block, as esq_scalar_end_any ends all. */
void esq_scalar_end_channel(const struct esq_scalar_block *block, uint32_t channel);

#endif
