/* AVERAGE_POOL_2D over a ring of rows on cores without DSP. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"
#include "esq_scalar_lanes.h"
#include "esq_scalar_ops.h"

/* Bits behind the point of a reciprocal. */
#define ESQ_RECIPROCAL_BITS 24

/* A window's rows inside the image, their first taps, and how to end. */
struct view {
    const int8_t *const *rows; /* [height] */
    uint32_t height;
    uint32_t pixel_bytes;
    struct esq_taps taps;
    uint32_t reciprocal; /* of the values under the window, rounded up */
    int32_t half;        /* of these, rounded down */
    int32_t even;        /* 1 where they are even in number, else 0 */
    int32_t zero;        /* the sum of biased zeros */
    int32_t clamp_min;
    int32_t clamp_max;
};

/* The average of biased values, halves away from zero. By a reciprocal of 24 bits, exact for sums
 * below 2^16 and up to 256 values: it is too large by less than 256 / 2^24 of a share. */
static inline int8_t finish(const struct view *view, int32_t sum) {
    const int32_t lowered = sum <= view->zero ? view->even : 0;
    const uint32_t raised = (uint32_t)(sum + view->half - lowered) * view->reciprocal;
    return esq_clamp((int32_t)(raised >> ESQ_RECIPROCAL_BITS) - ESQ_LANE_BIAS, view->clamp_min,
                     view->clamp_max);
}

static struct view view_of(const struct esq_pool *params, const int8_t *const *rows) {
    const struct esq_present inside = esq_present_rows(rows, params->window.height);
    return (struct view){.rows = rows + inside.first,
                         .height = inside.count,
                         .clamp_min = params->clamp_min,
                         .clamp_max = params->clamp_max};
}

static void enter(struct view *view, struct esq_taps taps) {
    const uint32_t count = view->height * taps.count;
    if (taps.count != view->taps.count) { /* a division only where it changes */
        view->reciprocal = ((1u << ESQ_RECIPROCAL_BITS) + count - 1u) / count;
        view->half = (int32_t)(count / 2u);
        view->even = count % 2u == 0;
        view->zero = (int32_t)count * ESQ_LANE_BIAS;
    }
    view->taps = taps;
}

static void average_words(const struct view *view, uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c += 4) {
        struct esq_lanes sums = {0, 0};
        for (uint32_t y = 0; y < view->height; y++) {
            sums = esq_add_pixels(sums, view->rows[y] + view->taps.offset_bytes + c,
                                  view->pixel_bytes, view->taps.count);
        }
#pragma GCC unroll 4
        for (uint32_t k = 0; k < 4; k++) {
            result[c + k] = finish(view, esq_lane(sums, k));
        }
    }
}

static void average_values(const struct view *view, uint32_t first, uint32_t channels,
                           int8_t *result) {
    for (uint32_t c = first; c < channels; c++) {
        int32_t sum = view->zero;
        for (uint32_t y = 0; y < view->height; y++) {
            const int8_t *value = view->rows[y] + view->taps.offset_bytes + c;
            for (uint32_t left = view->taps.count; left > 0; left--) {
                sum += *value;
                value += view->pixel_bytes;
            }
        }
        result[c] = finish(view, sum);
    }
}

void esq_run_average_pool_scalar(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const struct esq_slot *input = op->input[0];
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, input, arena, progress->out_row, rows);
        struct view view = view_of(params, rows);
        view.pixel_bytes = input->pixel_bytes;
        const int is_aligned =
            esq_is_word_aligned(view.rows[0]) && (input->pixel_bytes | input->row_bytes) % 4u == 0;
        const uint32_t by_words = is_aligned ? op->output->channels & ~3u : 0;
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            enter(&view, esq_taps_at(&params->window, input, x));
            average_words(&view, by_words, result);
            average_values(&view, by_words, op->output->channels, result);
            result += op->output->pixel_bytes;
        }
    }
}
