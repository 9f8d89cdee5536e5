/* From the input's rows to words of two pixels. Mirror: edgesq/kernels/scalar/windows.py. */
#include "../esq_copy.h"
#include "esq_scalar_view.h"

static uint32_t *fill(uint32_t word, uint32_t count, uint32_t *to, uint32_t step) {
    for (; count > 0; count--) {
        *to = word;
        to += step;
    }
    return to;
}

/* Channels of one column under two pixels, of which one may lie beside the image: 0. */
static void set_out_edge(const int8_t *lower, const int8_t *upper, int32_t zero, uint32_t count,
                         uint32_t *to, uint32_t step) {
    for (uint32_t k = 0; k < count; k++) {
        const int32_t low = lower ? lower[k] : zero;
        const int32_t high = upper ? upper[k] : zero;
        to[k * step] = ((uint32_t)high << 16) + (uint32_t)low;
    }
}

/* Where a column of a row lies, 0 beside the image. */
static inline const int8_t *at(const struct esq_slot *input, const int8_t *row, int32_t column) {
    return column < 0 || column >= input->width ? 0 : row + (uint32_t)column * input->pixel_bytes;
}

/* Values [first, end) of one row of the windows that begin at two columns. */
static uint32_t *set_out_row(const struct esq_scalar_view *view, const int8_t *row,
                             const int32_t columns[2], const struct esq_scalar_range *range,
                             uint32_t *to, uint32_t step) {
    const struct esq_slot *input = view->input;
    const uint32_t depth = input->channels;
    const int32_t last = input->width - view->params->window.width;
    if (input->pixel_bytes == depth && columns[0] >= 0 && columns[1] <= last) {
        const int8_t *const base = row + range->first;
        esq_scalar_words(base + (uint32_t)columns[0] * depth, base + (uint32_t)columns[1] * depth,
                         range->end - range->first, to, step);
        return to + (range->end - range->first) * step;
    }
    int32_t column = 0;
    uint32_t skip = range->first;
    for (; skip >= depth; skip -= depth) {
        column++;
    }
    for (uint32_t left = range->end - range->first, count; left > 0; left -= count) {
        const int8_t *lower = at(input, row, columns[0] + column);
        const int8_t *upper = at(input, row, columns[1] + column);
        count = depth - skip < left ? depth - skip : left;
        if (lower && upper) {
            esq_scalar_words(lower + skip, upper + skip, count, to, step);
        } else {
            set_out_edge(lower ? lower + skip : 0, upper ? upper + skip : 0, view->params->input_zp,
                         count, to, step);
        }
        to += count * step;
        column++;
        skip = 0;
    }
    return to;
}

/* One pair's words of taps [first, first + taps) of the windows. */
static void set_out_pair(const struct esq_scalar_view *view, const int32_t columns[2],
                         uint32_t first, uint32_t taps, uint32_t *to, uint32_t step) {
    const struct esq_window *window = &view->params->window;
    const uint32_t row_taps = (uint32_t)window->width * view->input->channels;
    const uint32_t zero = (uint32_t)view->params->input_zp;
    uint32_t y = 0;
    for (; first >= row_taps; first -= row_taps) {
        y++;
    }
    for (; y < window->height && taps > 0; y++) {
        const uint32_t end = row_taps - first < taps ? row_taps : first + taps;
        const struct esq_scalar_range range = {first, end};
        taps -= end - first;
        if (view->rows[y]) {
            to = set_out_row(view, view->rows[y], columns, &range, to, step);
        } else {
            to = fill((zero << 16) + zero, end - first, to, step);
        }
        first = 0;
    }
}

/* Values of a row of the window that begins at a column, the zero point where it is padded. */
static int8_t *copy_row(const struct esq_scalar_view *view, const int8_t *row, int32_t column,
                        const struct esq_scalar_range *range, int8_t *to) {
    const uint32_t depth = view->input->channels;
    uint32_t skip = range->first;
    for (; skip >= depth; skip -= depth) {
        column++;
    }
    for (uint32_t left = range->end - range->first, count; left > 0; left -= count) {
        const int8_t *from = row ? at(view->input, row, column) : 0;
        count = depth - skip < left ? depth - skip : left;
        if (from) {
            esq_copy(from + skip, count, to);
        } else {
            memset(to, view->params->input_zp, count);
        }
        to += count;
        column++;
        skip = 0;
    }
    return to;
}

/* A lone pixel's window as it is. */
static void set_out_lone(const struct esq_scalar_view *view, int32_t column, uint32_t first,
                         uint32_t taps) {
    const struct esq_window *window = &view->params->window;
    const uint32_t row_taps = (uint32_t)window->width * view->input->channels;
    int8_t *to = view->words;
    uint32_t y = 0;
    for (; first >= row_taps; first -= row_taps) {
        y++;
    }
    for (; y < window->height && taps > 0; y++) {
        const uint32_t end = row_taps - first < taps ? row_taps : first + taps;
        const struct esq_scalar_range range = {first, end};
        taps -= end - first;
        to = copy_row(view, view->rows[y], column, &range, to);
        first = 0;
    }
}

void esq_scalar_set_out(const struct esq_scalar_view *view, uint32_t column, uint32_t pixels,
                        uint32_t first, uint32_t taps) {
    const struct esq_window *window = &view->params->window;
    if (pixels == 1) {
        set_out_lone(view, (int32_t)(column * window->stride_w) - window->pad_left, first, taps);
        return;
    }
    uint32_t *words = view->words;
    const uint32_t step = esq_scalar_width(pixels) / 2u;
    for (uint32_t pixel = 0; pixel < pixels; pixel += 2) {
        const uint32_t upper = pixel + 1 < pixels ? pixel + 1 : pixel; /* a lone pixel twice */
        const int32_t columns[2] = {
            (int32_t)((column + pixel) * window->stride_w) - window->pad_left,
            (int32_t)((column + upper) * window->stride_w) - window->pad_left,
        };
        set_out_pair(view, columns, first, taps, words + pixel / 2u, step);
    }
}
