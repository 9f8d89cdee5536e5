/* The working memory of depthwise convolution on MVE: strips of eight channels, then sums.
 * Mirror: edgesq/kernels/mve/depthwise.py.
 */
#ifndef ESQ_DEPTHWISE_MVE_H
#define ESQ_DEPTHWISE_MVE_H

#include "esq_mve_ops.h"

/* Bytes that one load takes of a strip. */
#define ESQ_MVE_STRIP_BLOCK 16u

/* Outputs are computed up to three at a time, so that two more than there are may be. */
#define ESQ_MVE_MORE_PIXELS 2u

/* A strip for `pixels` outputs: the columns under them. */
static inline uint32_t esq_mve_strip_bytes(const struct esq_window *window, uint32_t pixels) {
    return ((pixels - 1u) * window->stride_w + window->width) * window->height;
}

/* Eight strips, and what loads read beyond the last one; the sums behind them are aligned. */
static inline uint32_t esq_mve_strips_bytes(const struct esq_window *window, uint32_t strip_bytes) {
    const uint32_t beyond = ESQ_MVE_MORE_PIXELS * window->stride_w * window->height;
    return (8u * strip_bytes + beyond + ESQ_MVE_STRIP_BLOCK + 15u) / 16u * 16u;
}

#endif
