/* Rows and taps under a sliding window: what convolution and pooling share. */
#ifndef ESQ_WINDOWS_H
#define ESQ_WINDOWS_H

#include "esq_ops.h"

/* The taps of a window that lie inside the image, at one output column. */
struct esq_taps {
    uint32_t first;        /* of the kernel's columns */
    uint32_t count;        /* taps from there on */
    uint32_t offset_bytes; /* from the row's start to the first of them */
};

static inline struct esq_taps esq_taps_at(const struct esq_window *window,
                                          const struct esq_slot *input, uint32_t column) {
    const int32_t left = (int32_t)(column * window->stride_w) - window->pad_left;
    const int32_t right = left + window->width;
    const int32_t first = left < 0 ? 0 : left;
    const int32_t end = right > input->width ? input->width : right;
    if (end <= first) {
        return (struct esq_taps){0, 0, 0}; /* every column of its phase lies beside the image */
    }
    return (struct esq_taps){(uint32_t)(first - left), (uint32_t)(end - first),
                             (uint32_t)first * input->pixel_bytes};
}

/* Fills rows [window.height] for one output row; NULL where the window hangs over the image. */
static inline void esq_rows_under(const struct esq_window *window, const struct esq_slot *input,
                                  int8_t *arena, uint32_t out_row, const int8_t **rows) {
    const int32_t top = (int32_t)(out_row * window->stride_h) - window->pad_top;
    for (int32_t y = 0; y < window->height; y++) {
        const int32_t row = top + y * window->dilation_h;
        rows[y] = row < 0 || row >= input->height ? 0 : esq_row(arena, input, (uint32_t)row);
    }
}

/* The rows of a window that lie inside the image. */
struct esq_present {
    uint32_t first;
    uint32_t count; /* rows from there on */
};

static inline struct esq_present esq_present_rows(const int8_t *const *rows, uint32_t height) {
    struct esq_present present = {0, 0};
    for (uint32_t y = 0; y < height; y++) {
        if (rows[y]) {
            present.count++;
        } else if (present.count == 0) {
            present.first++;
        }
    }
    return present;
}

/* Running sums int32 [channels] of a reduction, cleared before its first row. */
int32_t *esq_reduce_begin(const struct esq_op *op, uint32_t channels, int8_t *arena,
                          const struct esq_progress *progress);

/* Moves a reduction on by one of its `rows`; after the last one writes the result. */
void esq_reduce_end(const struct esq_op *op, const struct esq_reduce *params, uint32_t rows,
                    int8_t *arena, struct esq_progress *progress);

/* Takes one input row of a max pool into one output row; `begin` where it is the window's first. */
typedef void esq_take_row_fn(const struct esq_pool *params, const struct esq_slot *input,
                             const int8_t *row, const struct esq_slot *output, int8_t *result,
                             int begin);

/* A max pool's step: finds the rows, and moves on. */
void esq_max_pool_step(const struct esq_op *op, int8_t *arena, struct esq_progress *progress,
                       esq_take_row_fn *take);

/* One past the last output row of an operator's next band. */
static inline uint32_t esq_band_end(const struct esq_op *op, const struct esq_progress *progress) {
    const uint32_t end = (uint32_t)progress->out_row + op->band_units;
    return end > op->output->height ? op->output->height : end;
}

#endif
