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
    struct esq_present present;
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

/* One column's four values into lanes[0] and lanes[columns]. */
static inline void unpack_word(const int8_t *values, uint32_t minus_zp, uint32_t columns,
                               uint32_t *lanes) {
    const uint32_t word = esq_load_word(values);
    lanes[0] = esq_even_lanes(minus_zp, word);
    lanes[columns] = esq_odd_lanes(minus_zp, word);
}

/* Unpacks up to five columns, `step_bytes` apart, side by side. `columns` is a constant where this
 * is inlined, so that each gets a loop of its own without a loop in it. */
static inline uint32_t *unpack_side_by_side(const int8_t *values, uint32_t step_bytes,
                                            uint32_t groups, uint32_t minus_zp, uint32_t columns,
                                            uint32_t *lanes) {
    for (; groups > 0; groups--) {
        unpack_word(values, minus_zp, columns, lanes);
        if (columns > 1) {
            unpack_word(values + step_bytes, minus_zp, columns, lanes + 1);
        }
        if (columns > 2) {
            unpack_word(values + 2 * step_bytes, minus_zp, columns, lanes + 2);
        }
        if (columns > 3) {
            unpack_word(values + 3 * step_bytes, minus_zp, columns, lanes + 3);
        }
        if (columns > 4) {
            unpack_word(values + 4 * step_bytes, minus_zp, columns, lanes + 4);
        }
        values += 4;
        lanes += 2 * columns;
    }
    return lanes;
}

static uint32_t *unpack_inside(const int8_t *values, uint32_t step_bytes, uint32_t groups,
                               uint32_t minus_zp, uint32_t columns, uint32_t *lanes) {
    switch (columns) {
    case 1:
        return unpack_side_by_side(values, step_bytes, groups, minus_zp, 1, lanes);
    case 2:
        return unpack_side_by_side(values, step_bytes, groups, minus_zp, 2, lanes);
    case 3:
        return esq_dsp_unpack_3(values, step_bytes, groups, minus_zp, lanes);
    case 4:
        return unpack_side_by_side(values, step_bytes, groups, minus_zp, 4, lanes);
    default:
        return unpack_side_by_side(values, step_bytes, groups, minus_zp, 5, lanes);
    }
}

/* Unpacks whole windows of neighbouring pixels, padded columns as 0, padded rows left out. */
static void unpack_windows(const struct view *view, uint32_t column, uint32_t pixels) {
    const struct esq_slot *input = view->input;
    const struct esq_window *window = &view->params->window;
    const uint32_t groups = input->channels / 4u;
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        const struct esq_taps taps = esq_taps_at(window, input, column + pixel);
        const uint32_t after = window->width - taps.first - taps.count;
        uint32_t *lanes = view->work + pixel;
        for (uint32_t y = 0; y < view->present.count; y++) {
            const int8_t *tap = view->rows[view->present.first + y] + taps.offset_bytes;
            lanes = clear(taps.first * groups, pixels, lanes);
            for (uint32_t x = 0; x < taps.count; x++) {
                lanes = unpack(tap, groups, view->minus_zp, pixels, lanes);
                tap += input->pixel_bytes;
            }
            lanes = clear(after * groups, pixels, lanes);
        }
    }
}

/* Unpacks the input columns [column, column + columns) that the windows of neighbouring pixels
 * share; the first may be -1, written as its two's complement. */
static void unpack_columns(const struct view *view, uint32_t column, uint32_t columns,
                           uint32_t step) {
    const struct esq_slot *input = view->input;
    const uint32_t groups = input->channels / 4u;
    const uint32_t step_bytes = step * input->pixel_bytes;
    const int inside = column < input->width && column + (columns - 1) * step < input->width;
    uint32_t *lanes = view->work;
    for (uint32_t y = 0; y < view->present.count; y++) {
        const int8_t *row = view->rows[view->present.first + y];
        if (inside) {
            lanes = unpack_inside(row + column * input->pixel_bytes, step_bytes, groups,
                                  view->minus_zp, columns, lanes);
            continue;
        }
        for (uint32_t x = 0; x < columns; x++) {
            const uint32_t place = column + x * step;
            if (place < input->width) {
                unpack(row + place * input->pixel_bytes, groups, view->minus_zp, columns, lanes + x);
            } else {
                clear(groups, columns, lanes + x);
            }
        }
        lanes += 2 * groups * columns;
    }
}

/* Copies by words where the core may: any address will do. */
static int8_t *copy(const int8_t *from, uint32_t bytes, int8_t *to) {
    for (; bytes >= 4; bytes -= 4) {
        esq_store_word(to, esq_load_word(from));
        from += 4;
        to += 4;
    }
    for (; bytes > 0; bytes--) {
        *to++ = *from++;
    }
    return to;
}

static int8_t *fill(int8_t value, uint32_t bytes, int8_t *to) {
    for (; bytes > 0; bytes--) {
        *to++ = value;
    }
    return to;
}

/* Copies a window, the zero point where it is padded. */
static void stage_window(const struct view *view, uint32_t column, int8_t *values) {
    const struct esq_conv2d_dsp *params = view->params;
    const struct esq_slot *input = view->input;
    const struct esq_taps taps = esq_taps_at(&params->window, input, column);
    const uint32_t channels = input->channels;
    const uint32_t after = params->window.width - taps.first - taps.count;
    const int8_t zero = (int8_t)params->input_zp;
    const uint32_t runs = input->pixel_bytes == channels ? 1 : taps.count;
    const uint32_t run_bytes = taps.count / runs * channels;
    for (uint32_t y = 0; y < params->window.height; y++) {
        if (!view->rows[y]) {
            values = fill(zero, params->window.width * channels, values);
            continue;
        }
        const int8_t *run = view->rows[y] + taps.offset_bytes;
        values = fill(zero, taps.first * channels, values);
        for (uint32_t left = runs; left > 0; left--) {
            values = copy(run, run_bytes, values);
            run += input->pixel_bytes;
        }
        values = fill(zero, after * channels, values);
    }
}

/* Channels that no word holds evenly: windows are copied first, and filled up to a word. */
static void unpack_staged(const struct view *view, uint32_t column, uint32_t pixels) {
    const uint32_t groups = view->params->groups;
    int8_t *staged = (int8_t *)(view->work + 2u * pixels * groups);
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        stage_window(view, column + pixel, staged + pixel * 4u * groups);
    }
    unpack_inside(staged, 4u * groups, groups, view->minus_zp, pixels, view->work);
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
    const uint32_t absent = params->window.height - view->present.count;
    job.groups -= params->groups / params->window.height * absent;
    job.weights += view->present.first * row_words;
    job.gap_bytes = absent * row_words * (uint32_t)sizeof *job.weights;
    const uint32_t stride = params->window.stride_w;
    if (params->window.width == params->slide) { /* one column wide, or sliding */
        unpack_columns(view, column * stride - params->window.pad_left,
                       pixels + params->slide - 1u, stride);
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
    view.present = esq_present_rows(view.rows, params->window.height);
    return view;
}

static inline uint32_t at_most(uint32_t most, uint32_t left) {
    return left < most ? left : most;
}

void esq_dsp_compute_rows(const struct esq_conv2d_dsp *params, const struct esq_op *op, int8_t *arena,
                          const struct esq_dsp_rows *rows) {
    const struct esq_slot *output = op->output;
    for (uint32_t y = rows->first; y < rows->end; y++) {
        const struct view view = view_of(params, op, arena, y);
        int8_t *result = esq_row(arena, output, y) + rows->channel;
        for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
            pixels = at_most(params->pixels, output->width - x);
            const struct esq_dsp_job job = begin(&view, x, pixels);
            const struct esq_dsp_block block = {0, rows->channels, pixels, result,
                                                output->pixel_bytes};
            params->finish(params, &job, &block);
            result += pixels * output->pixel_bytes;
        }
    }
}

void esq_run_conv2d_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_dsp_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                      op->output->channels};
    esq_dsp_compute_rows(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
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

void esq_dsp_add_row(const struct esq_conv2d_dsp *params, const struct esq_op *op, int8_t *arena,
                     const struct esq_dsp_row *row, int32_t *sums) {
    const struct view view = view_of(params, op, arena, row->row);
    int8_t strip[MOST_PIXELS * STRIP_CHANNELS];
    for (uint32_t x = 0, pixels; x < row->width; x += pixels) {
        pixels = at_most(params->pixels, row->width - x);
        const struct esq_dsp_job job = begin(&view, x, pixels);
        for (uint32_t c = 0; c < row->channels; c += STRIP_CHANNELS) {
            const uint32_t channels = at_most(STRIP_CHANNELS, row->channels - c);
            const struct esq_dsp_block block = {c, channels, pixels, strip, STRIP_CHANNELS};
            params->finish(params, &job, &block);
            add_strip(strip, pixels, channels, sums + c);
        }
    }
}

void esq_run_conv2d_reduce_dsp(const struct esq_op *op, int8_t *arena,
                               struct esq_progress *progress) {
    const struct esq_conv2d_reduce_dsp *params = op->params;
    int32_t *sums = esq_reduce_begin(op, params->rows.channels, arena, progress);
    const struct esq_dsp_row row = {progress->in_row, params->rows.width, params->rows.channels};
    esq_dsp_add_row(&params->conv, op, arena, &row, sums);
    esq_reduce_end(op, &params->reduce, params->rows.height, arena, progress);
}

#endif
