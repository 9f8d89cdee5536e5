/* CONV_2D on MVE: what the kernels work on. Mirror: edgesq/codegen/pack_mve.py.
 *
 * A window of one pixel is read where it lies in the ring. Others are gathered, the zero point where
 * they are padded; esq_mve_finish_edges leaves rows beside the image out.
 */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_copy_mve.h"
#include "esq_mve.h"

/* Output channels of a strip that are held at a time, on the stack. */
#define STRIP_CHANNELS 32u

void esq_mve_direct(const struct esq_mve_view *view, uint32_t column, uint32_t pixels,
                    struct esq_mve_job *job) {
    const uint32_t step = (uint32_t)view->params->window.stride_w * view->input->pixel_bytes;
    const int8_t *pixel = view->rows[0] + column * step;
    for (uint32_t i = 0; i < pixels; i++) {
        job->pixels[i] = pixel;
        pixel += step;
    }
}

/* One row of a window; returns where the next one goes. */
static int8_t *gather_row(const struct esq_mve_view *view, const int8_t *row,
                          const struct esq_taps *taps, int8_t *to) {
    const struct esq_slot *input = view->input;
    const uint32_t channels = input->channels;
    const uint32_t after = view->params->window.width - taps->first - taps->count;
    const int8_t zero = (int8_t)view->params->input_zp;
    to = esq_mve_fill(zero, taps->first * channels, to);
    const int8_t *tap = row + taps->offset_bytes;
    if (input->pixel_bytes == channels) {
        to = esq_mve_copy(tap, taps->count * channels, to);
    } else {
        for (uint32_t x = taps->count; x > 0; x--) {
            to = esq_mve_copy(tap, channels, to);
            tap += input->pixel_bytes;
        }
    }
    return esq_mve_fill(zero, after * channels, to);
}

static void gather_window(const struct esq_mve_view *view, uint32_t column, int8_t *to) {
    const struct esq_conv2d_mve *params = view->params;
    const struct esq_taps taps = esq_taps_at(&params->window, view->input, column);
    const uint32_t row_bytes = (uint32_t)params->window.width * view->input->channels;
    for (uint32_t y = 0; y < view->present.count; y++) {
        const int8_t *row = view->rows[view->present.first + y];
        to = row ? gather_row(view, row, &taps, to)
                 : esq_mve_fill((int8_t)params->input_zp, row_bytes, to);
    }
}

void esq_mve_gathered(const struct esq_mve_view *view, uint32_t column, uint32_t pixels,
                      struct esq_mve_job *job) {
    int8_t *to = view->work;
    for (uint32_t i = 0; i < pixels; i++) {
        gather_window(view, column + i, to);
        job->pixels[i] = to;
        to += job->blocks * ESQ_MVE_BLOCK;
    }
}

/* The job for `pixels` output pixels; it lacks its table and result. */
static struct esq_mve_job begin(const struct esq_mve_view *view, uint32_t column, uint32_t pixels) {
    const struct esq_conv2d_mve *params = view->params;
    const uint32_t row_bytes = params->row_blocks * 2u * ESQ_MVE_BLOCK; /* of one pair's weights */
    const uint32_t absent = params->window.height - view->present.count;
    struct esq_mve_job job = {.blocks = params->blocks - absent * params->row_blocks,
                              .weights = params->weights + view->present.first * row_bytes,
                              .gap_bytes = 2u * absent * row_bytes,
                              .first_row = view->present.first};
    params->locate(view, column, pixels, &job);
    return job;
}

static struct esq_mve_view view_of(const struct esq_conv2d_mve *params, const struct esq_op *op,
                                   int8_t *arena, uint32_t out_row) {
    struct esq_mve_view view = {
        .params = params, .input = op->input[0], .work = arena + op->work_offset_bytes};
    esq_rows_under(&params->window, op->input[0], arena, out_row, view.rows);
    view.present = (struct esq_present){0, params->window.height};
    if (params->row_blocks > 0) {
        view.present = esq_present_rows(view.rows, params->window.height);
    }
    return view;
}

static inline uint32_t at_most(uint32_t most, uint32_t left) {
    return left < most ? left : most;
}

void esq_run_conv2d_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d_mve *params = op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const struct esq_mve_view view = view_of(params, op, arena, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
            pixels = at_most(params->pixels, output->width - x);
            const struct esq_mve_job job = begin(&view, x, pixels);
            const struct esq_block block = {0, output->channels, pixels, result,
                                            output->pixel_bytes};
            params->finish(params, &job, &block);
            result += pixels * output->pixel_bytes;
        }
    }
}

void esq_run_conv2d_reduce_mve(const struct esq_op *op, int8_t *arena,
                               struct esq_progress *progress) {
    const struct esq_conv2d_reduce_mve *params = op->params;
    const struct esq_mve_view view = view_of(&params->conv, op, arena, progress->in_row);
    int32_t *sums = esq_reduce_begin(op, params->rows.channels, arena, progress);
    int8_t strip[ESQ_MVE_MOST_PIXELS * STRIP_CHANNELS];
    for (uint32_t x = 0, pixels; x < params->rows.width; x += pixels) {
        pixels = at_most(params->conv.pixels, params->rows.width - x);
        const struct esq_mve_job job = begin(&view, x, pixels);
        for (uint32_t c = 0; c < params->rows.channels; c += STRIP_CHANNELS) {
            const uint32_t channels = at_most(STRIP_CHANNELS, params->rows.channels - c);
            const struct esq_block block = {c, channels, pixels, strip, STRIP_CHANNELS};
            params->conv.finish(&params->conv, &job, &block);
            esq_mve_add_pixels(strip, STRIP_CHANNELS, pixels, channels, sums + c);
        }
    }
    esq_reduce_end(op, &params->reduce, params->rows.height, arena, progress);
}

#endif
