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

/* Unpacks whole windows of neighbouring pixels, padded columns as 0, padded rows left out. */
static void unpack_windows(const struct view *view, uint32_t column, uint32_t pixels) {
    const struct esq_slot *input = view->input;
    const uint32_t groups = input->channels / 4u;
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        const struct esq_taps taps = esq_taps_at(&view->params->window, input, column + pixel);
        const uint32_t after = view->params->window.width - taps.first - taps.count;
        uint32_t *lanes = view->work + pixel;
        for (uint32_t y = 0; y < view->row_count; y++) {
            const int8_t *tap = view->rows[view->first_row + y] + taps.offset_bytes;
            lanes = clear(taps.first * groups, pixels, lanes);
            for (uint32_t x = 0; x < taps.count; x++) {
                lanes = unpack(tap, groups, view->minus_zp, pixels, lanes);
                tap += input->pixel_bytes;
            }
            lanes = clear(after * groups, pixels, lanes);
        }
    }
}

/* Unpacks the input columns that the windows of neighbouring pixels share. */
static void unpack_columns(const struct view *view, uint32_t column, uint32_t columns) {
    const struct esq_slot *input = view->input;
    const uint32_t groups = input->channels / 4u;
    for (uint32_t x = 0; x < columns; x++) {
        const uint32_t place = column + x - view->params->window.pad_left; /* wraps: outside too */
        uint32_t *lanes = view->work + x;
        for (uint32_t y = 0; y < view->row_count; y++) {
            const int8_t *pixel = view->rows[view->first_row + y] + place * input->pixel_bytes;
            lanes = place < input->width
                        ? unpack(pixel, groups, view->minus_zp, columns, lanes)
                        : clear(groups, columns, lanes);
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

/* Unpacks the windows of `pixels` output pixels; the job lacks its table and result. */
static struct esq_dsp_job begin(const struct view *view, uint32_t column, uint32_t pixels) {
    const struct esq_conv2d_dsp *params = view->params;
    const uint32_t row_words = params->groups / params->window.height * 2u * params->slide;
    struct esq_dsp_job job = {
        .activations = view->work, .groups = params->groups, .weights = params->weights};
    if (view->input->channels % 4u != 0) {
        unpack_staged(view, column, pixels);
        return job;
    }
    const uint32_t absent = params->window.height - view->row_count;
    job.groups -= params->groups / params->window.height * absent;
    job.weights += view->first_row * row_words;
    job.gap_bytes = absent * row_words * (uint32_t)sizeof *job.weights;
    if (params->slide > 1) {
        unpack_columns(view, column, pixels + params->slide - 1u);
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

static inline uint32_t at_most(uint32_t most, uint32_t left) {
    return left < most ? left : most;
}

void esq_run_conv2d_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d_dsp *params = op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const struct view view = view_of(params, op, arena, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
            pixels = at_most(params->pixels, output->width - x);
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
        pixels = at_most(params->conv.pixels, params->rows.width - x);
        const struct esq_dsp_job job = begin(&view, x, pixels);
        for (uint32_t c = 0; c < params->rows.channels; c += STRIP_CHANNELS) {
            const uint32_t channels = at_most(STRIP_CHANNELS, params->rows.channels - c);
            const struct esq_dsp_block block = {c, channels, pixels, strip, STRIP_CHANNELS};
            params->conv.finish(&params->conv, &job, &block);
            add_strip(strip, pixels, channels, sums + c);
        }
    }
    esq_reduce_end(op, &params->reduce, params->rows.height, arena, progress);
}

#endif
