/* CONV_2D on MVE: what the kernels work on. Mirror: edgesq/kernels/mve/pack.py.
 *
 * A window of one pixel is read where it lies in the ring. Others are set out column by column, so
 * that neighbouring windows share columns; or one by one, where columns are not multiples of eight
 * bytes. Padding is the zero point; esq_mve_finish_slide may leave rows beside the image out.
 */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_copy_mve.h"
#include "esq_mve.h"

/* Output channels of a strip that are held at a time, on the stack. */
#define ESQ_STRIP_CHANNELS 32u

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

void esq_mve_direct(const struct esq_mve_view *view, uint32_t column, struct esq_mve_job *job) {
    job->step_bytes = (uint32_t)view->params->window.stride_w * view->input->pixel_bytes;
    job->window = view->rows[0] + column * job->step_bytes;
}

/* Pieces of so many bytes, and where the next one is read and written. */
struct pieces {
    uint32_t bytes;
    uint32_t from_step;
    uint32_t to_step;
};

/* Copies `count` pieces, 6 instructions for 16 bytes. */
static void set_out(const struct pieces *pieces, uint32_t count, const int8_t *from, int8_t *to) {
    for (uint32_t done = 0; done < pieces->bytes; done += ESQ_MVE_BLOCK) {
        const int8_t *source = from + done;
        int8_t *place = to + done;
        __asm volatile("vctp.8 %2\n\t"
                       "wls lr, %3, 2f\n"
                       "1: vpstt\n\t"
                       "vldrbt.u8 q0, [%0]\n\t"
                       "vstrbt.8 q0, [%1]\n\t"
                       "add %0, %0, %4\n\t"
                       "add %1, %1, %5\n\t"
                       "le lr, 1b\n"
                       "2:"
                       : "+r"(source), "+r"(place)
                       : "r"(pieces->bytes - done), "r"(count), "r"(pieces->from_step),
                         "r"(pieces->to_step)
                       : "lr", "q0", "memory");
    }
}

static void set_out_zeros(int8_t zero, const struct pieces *pieces, uint32_t count, int8_t *to) {
    for (; count > 0; count--) {
        esq_mve_fill(zero, pieces->bytes, to);
        to += pieces->to_step;
    }
}

/* What lies under some windows: so many columns beside the image, inside, and beside it again. */
struct columns {
    uint32_t before;
    uint32_t inside;
    uint32_t after;
    uint32_t start; /* the first one inside */
};

static struct columns columns_of(const struct esq_mve_view *view, uint32_t column,
                                 uint32_t windows) {
    const struct esq_window *window = &view->params->window;
    const int32_t left = (int32_t)(column * window->stride_w) - window->pad_left;
    const int32_t right = left + (int32_t)((windows - 1u) * window->stride_w + window->width);
    const int32_t width = view->input->width;
    const int32_t start = left < 0 ? 0 : left;
    const int32_t end = right > width ? width : right;
    return (struct columns){(uint32_t)(start - left), (uint32_t)(end - start),
                            (uint32_t)(right - end), (uint32_t)start};
}

void esq_mve_strip(const struct esq_mve_view *view, uint32_t column, struct esq_mve_job *job) {
    const struct esq_conv2d_mve *params = view->params;
    const struct columns columns = columns_of(view, column, job->count);
    const uint32_t channels = view->input->channels;
    const uint32_t column_bytes = view->present.count * channels;
    const struct pieces pixels = {channels, view->input->pixel_bytes, column_bytes};
    const int8_t zero = (int8_t)params->input_zp;
    for (uint32_t y = 0; y < view->present.count; y++) {
        const int8_t *row = view->rows[view->present.first + y];
        const uint32_t inside = row ? columns.inside : 0;
        const uint32_t absent = columns.inside - inside;
        int8_t *to = view->work + y * channels;
        set_out_zeros(zero, &pixels, columns.before + absent, to);
        to += (columns.before + absent) * column_bytes;
        if (inside > 0) {
            set_out(&pixels, inside, row + columns.start * pixels.from_step, to);
        }
        set_out_zeros(zero, &pixels, columns.after, to + inside * column_bytes);
    }
    job->window = view->work;
    job->step_bytes = params->window.stride_w * column_bytes;
}

/* One row of a window; returns where the next one goes. */
static int8_t *gather_row(const struct esq_mve_view *view, const int8_t *row,
                          const struct columns *columns, int8_t *to) {
    const struct esq_slot *input = view->input;
    const uint32_t channels = input->channels;
    const struct pieces pixels = {channels, input->pixel_bytes, channels};
    const int8_t zero = (int8_t)view->params->input_zp;
    to = esq_mve_fill(zero, columns->before * channels, to);
    set_out(&pixels, columns->inside, row + columns->start * input->pixel_bytes, to);
    return esq_mve_fill(zero, columns->after * channels, to + columns->inside * channels);
}

static void gather_window(const struct esq_mve_view *view, const struct columns *columns,
                          int8_t *to) {
    const struct esq_window *window = &view->params->window;
    const uint32_t row_bytes = (uint32_t)window->width * view->input->channels;
    for (uint32_t y = 0; y < window->height; y++) {
        const int8_t *row = view->rows[y];
        to = row ? gather_row(view, row, columns, to)
                 : esq_mve_fill((int8_t)view->params->input_zp, row_bytes, to);
    }
}

/* Windows whose columns all lie inside the image, and pixels side by side. */
static void gather_inside(const struct esq_mve_view *view, uint32_t start, uint32_t windows,
                          uint32_t window_bytes, int8_t *to) {
    const struct esq_window *window = &view->params->window;
    const uint32_t channels = view->input->channels;
    const struct pieces rows = {window->width * channels, window->stride_w * channels,
                                window_bytes};
    for (uint32_t y = 0; y < window->height; y++) {
        if (view->rows[y]) {
            set_out(&rows, windows, view->rows[y] + start * channels, to);
        } else {
            set_out_zeros((int8_t)view->params->input_zp, &rows, windows, to);
        }
        to += rows.bytes;
    }
}

void esq_mve_gathered(const struct esq_mve_view *view, uint32_t column, struct esq_mve_job *job) {
    const struct esq_window *window = &view->params->window;
    const struct esq_slot *input = view->input;
    const int side_by_side = input->pixel_bytes == input->channels;
    int8_t *to = view->work;
    job->window = to;
    job->step_bytes = job->blocks * ESQ_MVE_BLOCK;
    for (uint32_t i = 0; i < job->count;) {
        const struct columns own = columns_of(view, column + i, 1);
        uint32_t windows = 1;
        if (own.before + own.after == 0 && side_by_side) {
            const uint32_t beyond = input->width - own.start - window->width;
            windows = at_most(beyond / window->stride_w + 1u, job->count - i);
            gather_inside(view, own.start, windows, job->step_bytes, to);
        } else {
            gather_window(view, &own, to);
        }
        to += windows * job->step_bytes;
        i += windows;
    }
}

/* Looks at one output row. */
static void look(const struct esq_conv2d_mve *params, const struct esq_op *op, int8_t *arena,
                 uint32_t out_row, struct esq_mve_view *view) {
    view->params = params;
    view->input = op->input[0];
    view->work = arena + op->work_offset_bytes;
    esq_rows_under(&params->window, op->input[0], arena, out_row, view->rows);
    if (params->edges) {
        view->present = esq_present_rows(view->rows, params->window.height);
    } else {
        view->present = (struct esq_present){0, params->window.height};
    }
}

/* Enters what of the weights is left out: the window's first row, or its last. */
static void leave_out_row(const struct esq_mve_view *view, struct esq_mve_job *job) {
    const struct esq_conv2d_mve *params = view->params;
    const uint32_t row_blocks = params->blocks / params->window.height;
    const uint32_t row_bytes = row_blocks * 2u * ESQ_MVE_BLOCK;
    const int is_above = view->present.first > 0;
    job->blocks = row_blocks * view->present.count / params->columns;
    job->weights += is_above ? row_bytes : 0;
    job->turn_bytes = is_above ? 0 : 2u * row_bytes;
    job->end_bytes = is_above ? 2u * row_bytes : 0;
    job->bias = params->edges + (is_above ? 0 : ESQ_MVE_QUAD);
}

/* The job for all channels of pixels of that row; it lacks its pixels and where they go. */
static void enter_job(const struct esq_mve_view *view, uint32_t channels, struct esq_mve_job *job) {
    const struct esq_conv2d_mve *params = view->params;
    *job = (struct esq_mve_job){.weights = params->weights,
                                .table = params->table,
                                .blocks = params->blocks / params->columns};
    if (view->present.count < params->window.height) {
        leave_out_row(view, job);
    }
    *job = esq_mve_part(params, job, 0, channels);
}

void esq_mve_compute(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows) {
    const struct esq_conv2d_mve *params = conv;
    const struct esq_slot *output = op->output;
    struct esq_mve_view view;
    struct esq_mve_job job;
    for (uint32_t y = rows->first; y < rows->end; y++) {
        look(params, op, arena, y, &view);
        enter_job(&view, rows->channels, &job);
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

/* Adds some channels of pixels that lie under `job`. */
static void add_strip(const struct esq_conv2d_mve *params, const struct esq_mve_job *job,
                      uint32_t first, uint32_t channels, int32_t *sums) {
    int8_t strip[ESQ_MVE_PIXELS * ESQ_STRIP_CHANNELS];
    struct esq_mve_job part = esq_mve_part(params, job, first, channels);
    part.result = strip;
    part.pixel_bytes = ESQ_STRIP_CHANNELS;
    for (uint32_t left = job->count; left > 0; left -= part.count) {
        part.count = at_most(ESQ_MVE_PIXELS, left);
        params->finish(params, &part);
        esq_mve_add_pixels(strip, ESQ_STRIP_CHANNELS, part.count, channels, sums + first);
        part.window += part.count * part.step_bytes;
    }
}

void esq_mve_add_row(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows, const struct esq_slot *output, int32_t *sums) {
    const struct esq_conv2d_mve *params = conv;
    struct esq_mve_view view;
    struct esq_mve_job job;
    look(params, op, arena, rows->first, &view);
    enter_job(&view, rows->channels, &job);
    for (uint32_t x = 0; x < output->width; x += job.count) {
        job.count = at_most(params->pixels, output->width - x);
        params->locate(&view, x, &job);
        for (uint32_t c = 0; c < rows->channels; c += ESQ_STRIP_CHANNELS) {
            add_strip(params, &job, c, at_most(ESQ_STRIP_CHANNELS, rows->channels - c), sums);
        }
    }
}

#endif
