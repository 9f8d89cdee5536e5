/* The input under one output row of a convolution on a scalar core. */
#ifndef ESQ_SCALAR_VIEW_H
#define ESQ_SCALAR_VIEW_H

#include "esq_scalar.h"

struct esq_scalar_view {
    const struct esq_conv2d_scalar *params;
    const struct esq_slot *input;
    uint32_t *words;                         /* the working memory */
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS]; /* 0: beside the image */
};

/* Values [first, end) of a window's row. */
struct esq_scalar_range {
    uint32_t first;
    uint32_t end;
};

/* Words per tap of so many pixels. */
static inline uint32_t esq_scalar_words_of(uint32_t pixels) { return (pixels + 1u) / 2u; }

/* Sets out taps [first, first + taps), as far as there are some, of the windows of `pixels` output
 * pixels from `column` on. */
void esq_scalar_set_out(const struct esq_scalar_view *view, uint32_t column, uint32_t pixels,
                        uint32_t first, uint32_t taps);

#endif
