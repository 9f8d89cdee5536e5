/* CONV_2D on MVE: what the kernels work on. Mirror: edgesq/kernels/mve/pack.py.
 *
 * A window of one pixel is read where it lies in the ring. Others are gathered, the zero point
 * where they are padded; esq_mve_finish_edges leaves rows beside the image out.
 */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_copy_mve.h"
#include "esq_mve.h"

/* Output channels of a strip that are held at a time, on the stack. */
#define ESQ_STRIP_CHANNELS 32u

void esq_mve_direct(const struct esq_mve_view *view, uint32_t column, struct esq_mve_job *job) {
    const uint32_t step = (uint32_t)view->params->window.stride_w * view->input->pixel_bytes;
    const int8_t *pixel = view->rows[0] + column * step;
    for (uint32_t i = 0; i < job->count; i++) {
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

/* Whole windows inside the image, their rows in one piece each. */
static void gather_inside(const struct esq_mve_view *view, uint32_t left, uint32_t pixels,
                          uint32_t window_bytes) {
    const struct esq_window *window = &view->params->window;
    const uint32_t channels = view->input->channels;
    const uint32_t step = window->stride_w * channels;
    const uint32_t row_bytes = window->width * channels;
    const int8_t *const *row = view->rows + view->present.first;
    int8_t *to = view->work;
    for (uint32_t y = view->present.count; y > 0; y--) {
        const int8_t *from = *row++ + left * channels;
        int8_t *place = to;
        for (uint32_t i = pixels; i > 0; i--) {
            esq_mve_copy(from, row_bytes, place);
            from += step;
            place += window_bytes;
        }
        to += row_bytes;
    }
}

void esq_mve_gathered(const struct esq_mve_view *view, uint32_t column, struct esq_mve_job *job) {
    const struct esq_window *window = &view->params->window;
    const struct esq_slot *input = view->input;
    const uint32_t window_bytes = job->blocks * ESQ_MVE_BLOCK;
    int8_t *to = view->work;
    for (uint32_t i = 0; i < job->count; i++) {
        job->pixels[i] = to;
        to += window_bytes;
    }
    /* Wraps left of the image. */
    const uint32_t left = column * window->stride_w - window->pad_left;
    const uint32_t last = left + (job->count - 1u) * window->stride_w;
    if (view->solid && left < input->width && last + window->width <= input->width) {
        gather_inside(view, left, job->count, window_bytes);
        return;
    }
    to = view->work;
    for (uint32_t i = 0; i < job->count; i++) {
        gather_window(view, column + i, to);
        to += window_bytes;
    }
}

/* Looks at one output row. */
static void look(const struct esq_conv2d_mve *params, const struct esq_op *op, int8_t *arena,
                 uint32_t out_row, struct esq_mve_view *view) {
    view->params = params;
    view->input = op->input[0];
    view->work = arena + op->work_offset_bytes;
    esq_rows_under(&params->window, op->input[0], arena, out_row, view->rows);
    const struct esq_present inside = esq_present_rows(view->rows, params->window.height);
    const struct esq_present all = {0, params->window.height};
    view->present = params->row_blocks > 0 ? inside : all;
    view->solid =
        view->present.count == inside.count && view->input->pixel_bytes == view->input->channels;
}

/* The job for all channels of pixels of that row; it lacks its pixels and where they go. */
static struct esq_mve_job job_of(const struct esq_mve_view *view, uint32_t channels) {
    const struct esq_conv2d_mve *params = view->params;
    const uint32_t row_bytes = params->row_blocks * 2u * ESQ_MVE_BLOCK; /* of one pair's weights */
    const uint32_t absent = params->window.height - view->present.count;
    const struct esq_mve_job job = {
        .blocks = params->blocks - absent * params->row_blocks,
        .weights = params->weights + view->present.first * row_bytes,
        .table = params->table,
        .gap_bytes = 2u * absent * row_bytes,
        .first_row = view->present.first,
    };
    return esq_mve_part(params, &job, 0, channels);
}

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

void esq_mve_compute(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows) {
    const struct esq_conv2d_mve *params = conv;
    const struct esq_slot *output = op->output;
    struct esq_mve_view view;
    for (uint32_t y = rows->first; y < rows->end; y++) {
        look(params, op, arena, y, &view);
        struct esq_mve_job job = job_of(&view, rows->channels);
        int8_t *result = esq_row(arena, output, y) + rows->channel;
        job.pixel_bytes = output->pixel_bytes;
        for (uint32_t x = 0; x < output->width; x += job.count) {
            job.count = at_most(params->pixels, output->width - x);
            job.result = result;
            params->locate(&view, x, &job);
            params->finish(params, &job);
            result += job.count * output->pixel_bytes;
        }
    }
}

void esq_run_conv2d_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                  op->output->channels};
    esq_mve_compute(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
}

void esq_mve_add_row(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows, const struct esq_slot *output, int32_t *sums) {
    const struct esq_conv2d_mve *params = conv;
    int8_t strip[ESQ_MVE_MAX_PIXELS * ESQ_STRIP_CHANNELS];
    struct esq_mve_view view;
    look(params, op, arena, rows->first, &view);
    struct esq_mve_job job = job_of(&view, rows->channels);
    job.result = strip;
    job.pixel_bytes = ESQ_STRIP_CHANNELS;
    for (uint32_t x = 0; x < output->width; x += job.count) {
        job.count = at_most(params->pixels, output->width - x);
        params->locate(&view, x, &job);
        for (uint32_t c = 0; c < rows->channels; c += ESQ_STRIP_CHANNELS) {
            const uint32_t channels = at_most(ESQ_STRIP_CHANNELS, rows->channels - c);
            const struct esq_mve_job part = esq_mve_part(params, &job, c, channels);
            params->finish(params, &part);
            esq_mve_add_pixels(strip, ESQ_STRIP_CHANNELS, job.count, channels, sums + c);
        }
    }
}

#endif
