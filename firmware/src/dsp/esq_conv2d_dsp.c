/* CONV_2D on the DSP extension: what the kernels work on. Mirror: edgesq/codegen/pack_dsp.py.
 *
 * The input values under one to three neighbouring output pixels are unpacked to 16-bit lanes once,
 * straight from the ring's rows, and used by all output channels; there is no other copy. Values are
 * unpacked minus the zero point, so that padding is 0 and padded rows and columns can be left out.
 */
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_lanes.h"

/* Output channels of a strip that are held at a time, on the stack. */
#define STRIP_CHANNELS 32u
#define MOST_PIXELS 3u

/* The input under one output row. */
struct view {
    const struct esq_conv2d_dsp *params;
    const struct esq_slot *input;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    uint32_t first_row; /* of the window's rows, inside the image */
    uint32_t row_count; /* rows from there on */
    uint32_t minus_zp;  /* in both lanes */
    uint32_t *work;
};

/* Unpacks 4 * groups values into every `pixels`-th word; returns where the next group goes. */
static uint32_t *unpack(const int8_t *values, uint32_t groups, uint32_t minus_zp, uint32_t pixels,
                        uint32_t *lanes) {
    for (; groups > 0; groups--) {
        const uint32_t word = esq_load_word(values);
        values += 4;
        lanes[0] = esq_even_lanes(minus_zp, word);
        lanes[pixels] = esq_odd_lanes(minus_zp, word);
        lanes += 2 * pixels;
    }
    return lanes;
}

static uint32_t *clear(uint32_t groups, uint32_t pixels, uint32_t *lanes) {
    for (; groups > 0; groups--) {
        lanes[0] = 0;
        lanes[pixels] = 0;
        lanes += 2 * pixels;
    }
    return lanes;
}

/* Unpacks the taps of one kernel row. */
static uint32_t *unpack_taps(const struct view *view, const int8_t *row, struct esq_taps taps,
                             uint32_t pixels, uint32_t *lanes) {
    const struct esq_slot *input = view->input;
    const uint32_t groups = input->channels / 4u;
    row += taps.offset_bytes;
    if (input->pixel_bytes == input->channels) {
        return unpack(row, taps.count * groups, view->minus_zp, pixels, lanes);
    }
    for (uint32_t tap = 0; tap < taps.count; tap++) {
        lanes = unpack(row, groups, view->minus_zp, pixels, lanes);
        row += input->pixel_bytes;
    }
    return lanes;
}

/* Unpacks whole windows of neighbouring pixels, padded columns as 0, padded rows left out. */
static void unpack_windows(const struct view *view, uint32_t column, uint32_t pixels) {
    const struct esq_window *window = &view->params->window;
    const uint32_t groups = view->input->channels / 4u;
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        const struct esq_taps taps = esq_taps_at(window, view->input, column + pixel);
        const uint32_t after = window->width - taps.first - taps.count;
        uint32_t *lanes = view->work + pixel;
        for (uint32_t y = 0; y < view->row_count; y++) {
            lanes = clear(taps.first * groups, pixels, lanes);
            lanes = unpack_taps(view, view->rows[view->first_row + y], taps, pixels, lanes);
            lanes = clear(after * groups, pixels, lanes);
        }
    }
}

/* Copies a window, the zero point where it is padded. */
static void stage_window(const struct view *view, uint32_t column, int8_t *values) {
    const struct esq_conv2d_dsp *params = view->params;
    const struct esq_slot *input = view->input;
    const struct esq_taps taps = esq_taps_at(&params->window, input, column);
    const int8_t zero = (int8_t)params->input_zp;
    for (uint32_t y = 0; y < params->window.height; y++) {
        const int8_t *row = view->rows[y];
        for (uint32_t x = 0; x < params->window.width; x++) {
            const uint32_t tap = x - taps.first;
            const int inside = row && tap < taps.count;
            const int8_t *pixel = inside ? row + taps.offset_bytes + tap * input->pixel_bytes : 0;
            for (uint32_t c = 0; c < input->channels; c++) {
                *values++ = pixel ? pixel[c] : zero;
            }
        }
    }
}

/* Channels that no word holds evenly: windows are copied first, and filled up to a word. */
static void unpack_staged(const struct view *view, uint32_t column, uint32_t pixels) {
    const uint32_t groups = view->params->groups;
    int8_t *staged = (int8_t *)(view->work + 2u * pixels * groups);
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        stage_window(view, column + pixel, staged);
        unpack(staged, groups, view->minus_zp, pixels, view->work + pixel);
    }
}

/* A lone pixel: padded columns are left out too, as runs of weights with gaps. */
static void unpack_alone(const struct view *view, uint32_t column, struct esq_dsp_job *job) {
    const struct esq_window *window = &view->params->window;
    const struct esq_taps taps = esq_taps_at(window, view->input, column);
    const uint32_t groups = view->input->channels / 4u;
    const uint32_t missing = (window->width - taps.count) * groups * ESQ_DSP_GROUP_BYTES;
    uint32_t *lanes = view->work;
    for (uint32_t y = 0; y < view->row_count; y++) {
        lanes = unpack_taps(view, view->rows[view->first_row + y], taps, 1, lanes);
    }
    job->weights += taps.first * groups * ESQ_DSP_GROUP_BYTES;
    if (missing) {
        job->runs = view->row_count;
        job->groups = taps.count * groups;
        job->run_gap_bytes = missing;
        job->end_gap_bytes += missing;
    }
}

/* Unpacks the windows of `pixels` output pixels; the job lacks its table and result. */
static struct esq_dsp_job begin(const struct view *view, uint32_t column, uint32_t pixels) {
    const struct esq_conv2d_dsp *params = view->params;
    const uint32_t row_groups = params->groups / params->window.height;
    struct esq_dsp_job job = {.activations = view->work,
                              .groups = params->groups,
                              .weights = (const uint8_t *)params->weights,
                              .runs = 1};
    if (view->input->channels % 4u != 0) {
        unpack_staged(view, column, pixels);
        return job;
    }
    job.groups = row_groups * view->row_count;
    job.weights += view->first_row * row_groups * ESQ_DSP_GROUP_BYTES;
    job.end_gap_bytes = (params->groups - job.groups) * ESQ_DSP_GROUP_BYTES;
    if (pixels == 1) {
        unpack_alone(view, column, &job);
    } else {
        unpack_windows(view, column, pixels);
    }
    return job;
}

static struct view view_of(const struct esq_conv2d_dsp *params, const struct esq_op *op,
                           int8_t *arena, uint32_t out_row) {
    const uint32_t minus_zp = (uint32_t)-params->input_zp & 0xffffu;
    void *work = arena + op->work_offset_bytes;
    struct view view = {.params = params, .input = op->input[0], .work = work};
    view.minus_zp = minus_zp << 16 | minus_zp;
    esq_rows_under(&params->window, op->input[0], arena, out_row, view.rows);
    for (uint32_t y = 0; y < params->window.height; y++) {
        if (view.rows[y]) {
            view.row_count++;
        } else if (view.row_count == 0) {
            view.first_row++;
        }
    }
    return view;
}

/* Pixels to compute together at `column`. A first pixel that hangs over the edge goes alone where
 * the width leaves one over: without its padded columns it is the cheapest of all. */
static uint32_t pixels_at(const struct esq_conv2d_dsp *params, uint32_t column, uint32_t width) {
    if (column == 0 && params->window.pad_left > 0 && width % params->pixels != 0) {
        return 1;
    }
    return width - column < params->pixels ? width - column : params->pixels;
}

void esq_run_conv2d_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d_dsp *params = op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const struct view view = view_of(params, op, arena, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
            pixels = pixels_at(params, x, output->width);
            const struct esq_dsp_job job = begin(&view, x, pixels);
            const struct esq_dsp_block block = {0, output->channels, pixels, result,
                                                output->pixel_bytes};
            params->finish(params, &job, &block);
            result += pixels * output->pixel_bytes;
        }
    }
}

static void add_strip(const int8_t *strip, uint32_t pixels, uint32_t channels, int32_t *sums) {
    for (uint32_t c = 0; c < channels; c++) {
        int32_t sum = sums[c];
        for (uint32_t pixel = 0; pixel < pixels; pixel++) {
            sum += strip[pixel * STRIP_CHANNELS + c];
        }
        sums[c] = sum;
    }
}

void esq_run_conv2d_reduce_dsp(const struct esq_op *op, int8_t *arena,
                               struct esq_progress *progress) {
    const struct esq_conv2d_reduce_dsp *params = op->params;
    const struct view view = view_of(&params->conv, op, arena, progress->in_row);
    int32_t *sums = esq_reduce_begin(op, params->rows.channels, arena, progress);
    int8_t strip[MOST_PIXELS * STRIP_CHANNELS];
    for (uint32_t x = 0, pixels; x < params->rows.width; x += pixels) {
        pixels = pixels_at(&params->conv, x, params->rows.width);
        const struct esq_dsp_job job = begin(&view, x, pixels);
        for (uint32_t c = 0; c < params->rows.channels; c += STRIP_CHANNELS) {
            const uint32_t left = params->rows.channels - c;
            const uint32_t channels = left < STRIP_CHANNELS ? left : STRIP_CHANNELS;
            const struct esq_dsp_block block = {c, channels, pixels, strip, STRIP_CHANNELS};
            params->conv.finish(&params->conv, &job, &block);
            add_strip(strip, pixels, channels, sums + c);
        }
    }
    esq_reduce_end(op, &params->reduce, params->rows.height, arena, progress);
}

#endif
