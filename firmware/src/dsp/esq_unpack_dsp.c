/* From the input's rows to 16-bit lanes, for the kernels on the DSP extension: every kind of window
 * its own way.
 * Mirror: edgesq/kernels/dsp/pack.py.
 */
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_lanes.h"

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

/* Unpacks `columns` columns, `step_bytes` apart, side by side; returns the end of the lanes. */
typedef uint32_t *side_by_side_fn(const int8_t *values, uint32_t step_bytes, uint32_t groups,
                                  uint32_t minus_zp, uint32_t columns, uint32_t *lanes);

/* Up to three columns. */
static uint32_t *unpack_few(const int8_t *values, uint32_t step_bytes, uint32_t groups,
                            uint32_t minus_zp, uint32_t columns, uint32_t *lanes) {
    switch (columns) {
    case 1: return unpack_side_by_side(values, step_bytes, groups, minus_zp, 1, lanes);
    case 2: return unpack_side_by_side(values, step_bytes, groups, minus_zp, 2, lanes);
    default: return esq_dsp_unpack_3(values, step_bytes, groups, minus_zp, lanes);
    }
}

/* Three to five. */
static uint32_t *unpack_many(const int8_t *values, uint32_t step_bytes, uint32_t groups,
                             uint32_t minus_zp, uint32_t columns, uint32_t *lanes) {
    switch (columns) {
    case 3: return esq_dsp_unpack_3(values, step_bytes, groups, minus_zp, lanes);
    case 4: return unpack_side_by_side(values, step_bytes, groups, minus_zp, 4, lanes);
    default: return unpack_side_by_side(values, step_bytes, groups, minus_zp, 5, lanes);
    }
}

/* Padded columns as 0, padded rows left out. */
void esq_dsp_unpack_windows(const struct esq_dsp_view *view, uint32_t column, uint32_t pixels) {
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

/* Unpacks `columns` input columns from `column` on, `step` apart, that the windows of neighbouring
 * pixels share; the first may be -1, written as its two's complement. */
static inline void unpack_shared(const struct esq_dsp_view *view, uint32_t column, uint32_t columns,
                                 uint32_t step, side_by_side_fn *unpack_inside) {
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
                unpack(row + place * input->pixel_bytes, groups, view->minus_zp, columns,
                       lanes + x);
            } else {
                clear(groups, columns, lanes + x);
            }
        }
        lanes += 2 * groups * columns;
    }
}

void esq_dsp_unpack_columns(const struct esq_dsp_view *view, uint32_t column, uint32_t pixels) {
    const struct esq_window *window = &view->params->window;
    const uint32_t stride = window->stride_w;
    unpack_shared(view, column * stride - window->pad_left, pixels, stride, unpack_few);
}

void esq_dsp_unpack_slide(const struct esq_dsp_view *view, uint32_t column, uint32_t pixels) {
    const uint32_t columns = pixels + ESQ_DSP_SLIDE_COLUMNS - 1u;
    unpack_shared(view, column - view->params->window.pad_left, columns, 1, unpack_many);
}

/* Copies by words where the core may: any address will do, and the last one may overlap. */
static inline int8_t *copy(const int8_t *from, uint32_t bytes, int8_t *to) {
    int8_t *const end = to + bytes;
    if (bytes >= 4) {
        const uint32_t last = esq_load_word(from + bytes - 4);
        for (; to < end - 4; to += 4) {
            esq_store_word(to, esq_load_word(from));
            from += 4;
        }
        esq_store_word(end - 4, last);
        return end;
    }
    while (to < end) {
        *to++ = *from++;
    }
    return end;
}

static int8_t *fill(int8_t value, uint32_t bytes, int8_t *to) {
    for (; bytes > 0; bytes--) {
        *to++ = value;
    }
    return to;
}

/* Copies a window of which no column lies beside the image, each row in one piece. */
static inline void stage_inside(const struct esq_dsp_view *view, uint32_t offset_bytes,
                                uint32_t row_bytes, int8_t *values) {
    const int8_t *const *row = view->rows;
    for (uint32_t left = view->params->window.height; left > 0; left--, row++) {
        values = *row ? copy(*row + offset_bytes, row_bytes, values)
                      : fill((int8_t)view->params->input_zp, row_bytes, values);
    }
}

/* Copies a window, the zero point where it is padded. */
static void stage_window(const struct esq_dsp_view *view, uint32_t column, int8_t *values) {
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
void esq_dsp_unpack_staged(const struct esq_dsp_view *view, uint32_t column, uint32_t pixels) {
    const uint32_t groups = view->params->groups;
    const struct esq_window *window = &view->params->window;
    const struct esq_slot *input = view->input;
    const uint32_t first =
        column * window->stride_w - window->pad_left; /* wraps left of the image */
    const uint32_t end = first + (pixels - 1) * window->stride_w + window->width;
    const int inside = first < end && end <= input->width && input->pixel_bytes == input->channels;
    int8_t *const staged = (int8_t *)(view->work + 2u * pixels * groups);
    int8_t *values = staged;
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        if (inside) {
            stage_inside(view, (first + pixel * window->stride_w) * input->pixel_bytes,
                         window->width * input->pixel_bytes, values);
        } else {
            stage_window(view, column + pixel, values);
        }
        values += 4u * groups;
    }
    unpack_few(staged, 4u * groups, groups, view->minus_zp, pixels, view->work);
}

#endif
