/* AVERAGE_POOL_2D over a ring of rows on the DSP extension. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_average.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_pool_dsp.h"

/* A window's rows inside the image, their first taps, and how to end. */
struct view {
    const int8_t *const *rows; /* [height] */
    uint32_t height;
    uint32_t pixel_bytes;
    struct esq_taps taps;
    int32_t count;
    int32_t clamp_min;
    int32_t clamp_max;
};

static inline int8_t finish(const struct view *view, int32_t sum) {
    return esq_clamp(esq_rounded_mean(sum, view->count), view->clamp_min, view->clamp_max);
}

static void average_pixel(const struct view *view, uint32_t channels, int8_t *result) {
    for (uint32_t c = 0; c < channels; c += 4) {
        struct esq_quad_sums sums = {0, 0};
        for (uint32_t y = 0; y < view->height; y++) {
            sums = esq_add_quads(sums, view->rows[y] + view->taps.offset_bytes + c,
                                 view->pixel_bytes, view->taps.count);
        }
        result[c] = finish(view, esq_low_lane(sums.even));
        result[c + 1] = finish(view, esq_low_lane(sums.odd));
        result[c + 2] = finish(view, esq_high_lane(sums.even));
        result[c + 3] = finish(view, esq_high_lane(sums.odd));
    }
}

void esq_run_average_pool_dsp(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        const struct esq_present inside = esq_present_rows(rows, params->window.height);
        struct view view = {.rows = rows + inside.first,
                            .height = inside.count,
                            .pixel_bytes = op->input[0]->pixel_bytes,
                            .clamp_min = params->clamp_min,
                            .clamp_max = params->clamp_max};
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            view.taps = esq_taps_at(&params->window, op->input[0], x);
            view.count = (int32_t)(view.height * view.taps.count);
            average_pixel(&view, op->output->channels, result);
            result += op->output->pixel_bytes;
        }
    }
}

#endif
