/* The input under one output row of a convolution on a scalar core. */
#ifndef ESQ_SCALAR_VIEW_H
#define ESQ_SCALAR_VIEW_H

#include "esq_scalar.h"

#define ESQ_SCALAR_MAX_PIXELS 4u

/* Values [first, end) of a window or of one of its rows. */
struct esq_scalar_range {
    uint32_t first;
    uint32_t end;
};

struct esq_scalar_view {
    const struct esq_conv2d_scalar *params;
    const struct esq_slot *input;
    void *words;                             /* the working memory */
    int32_t *sums;                           /* [channels][1, 2 or 4] */
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS]; /* 0: beside the image */
    uint32_t taps;                           /* of a whole window, as they lie in the weights */
    struct esq_scalar_range inside;          /* of these; all others are in rows beside the image */
    /* The last windows that were listed, each from one place to the next: esq_scalar_listed.h. */
    const uint32_t *list_ends[ESQ_SCALAR_MAX_PIXELS + 1u];
    uint8_t is_listed; /* instead of set out */
    uint8_t is_dense;  /* 1: a window of this row was not listed, the others will not be tried */
};

/* Pixels whose sums stand side by side, of `pixels` that are computed together. */
static inline uint32_t esq_scalar_width(uint32_t pixels) { return pixels > 2 ? 4u : pixels; }

/* Bytes of so many taps, set out. */
static inline uint32_t esq_scalar_bytes(uint32_t taps, uint32_t pixels) {
    return pixels == 1 ? taps : taps * 2u * esq_scalar_width(pixels);
}

/* Sets out taps [first, first + taps), as far as there are some, of the windows of `pixels` output
 * pixels from `column` on. */
void esq_scalar_set_out(const struct esq_scalar_view *view, uint32_t column, uint32_t pixels,
                        uint32_t first, uint32_t taps);

/* Begins the sums of channels [first, first + channels) of `pixels` pixels with what the taps
 * beside the image add to them. */
void esq_scalar_sum_beside(const struct esq_scalar_view *view, uint32_t pixels, uint32_t first,
                           uint32_t channels);

#endif
