/* CONV_2D on the DSP extension: what the kernels work on. Mirror: edgesq/kernels/dsp/pack.py.
 *
 * The input values under one to three neighbouring output pixels are unpacked to 16-bit lanes once,
 * straight from the ring's rows, and used by all output channels; there is no other copy. Values
 * are unpacked minus the zero point, so that padding is 0 and padded rows and columns can be left
 * out.
 */
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* Output channels of a strip that are held at a time, on the stack. */
#define ESQ_STRIP_CHANNELS 16u
#define ESQ_MAX_PIXELS 3u

/* The job of all blocks of an output row; it lacks its table and result. */
static struct esq_dsp_job job_of(const struct esq_conv2d_dsp *params,
                                 const struct esq_dsp_view *view) {
    struct esq_dsp_job job = {
        .activations = view->work, .groups = params->groups, .weights = params->weights};
    const uint32_t height = params->window.height;
    if (view->present.count < height && !params->way->has_padded_rows) {
        const uint32_t absent = height - view->present.count;
        const uint32_t row_groups = params->groups / height;
        const uint32_t row_words = row_groups * 2u * params->slide;
        job.groups -= row_groups * absent;
        job.weights += view->present.first * row_words;
        job.gap_bytes = absent * row_words * (uint32_t)sizeof *job.weights;
    }
    return job;
}

static void enter_view(const struct esq_conv2d_dsp *params, const struct esq_op *op, int8_t *arena,
                       uint32_t out_row, struct esq_dsp_view *view) {
    const uint32_t minus_zp = (uint32_t)-params->input_zp & 0xffffu;
    void *work = arena + op->work_offset_bytes;
    view->params = params;
    view->input = op->input[0];
    view->minus_zp = minus_zp << 16 | minus_zp;
    view->work = work;
    esq_rows_under(&params->window, op->input[0], arena, out_row, view->rows);
    view->present = esq_present_rows(view->rows, params->window.height);
}

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

void esq_dsp_compute(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows) {
    const struct esq_conv2d_dsp *params = conv;
    const struct esq_slot *output = op->output;
    const struct esq_dsp_way *way = params->way;
    for (uint32_t y = rows->first; y < rows->end; y++) {
        struct esq_dsp_view view;
        enter_view(params, op, arena, y, &view);
        const struct esq_dsp_job job = job_of(params, &view);
        int8_t *result = esq_row(arena, output, y) + rows->channel;
        for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
            pixels = at_most(params->pixels, output->width - x);
            way->unpack(&view, x, pixels);
            const struct esq_dsp_block block = {0, rows->channels, pixels, result,
                                                output->pixel_bytes};
            way->finish(params, &job, &block);
            result += pixels * output->pixel_bytes;
        }
    }
}

void esq_run_conv2d_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                  op->output->channels};
    esq_dsp_compute(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
}

static void add_strip(const int8_t *strip, uint32_t pixels, uint32_t channels, int32_t *sums) {
    for (uint32_t c = 0; c < channels; c++) {
        int32_t sum = sums[c];
        for (uint32_t pixel = 0; pixel < pixels; pixel++) {
            sum += strip[pixel * ESQ_STRIP_CHANNELS + c];
        }
        sums[c] = sum;
    }
}

void esq_dsp_add_row(const void *conv, const struct esq_op *op, int8_t *arena,
                     const struct esq_rows *rows, const struct esq_slot *output, int32_t *sums) {
    const struct esq_conv2d_dsp *params = conv;
    struct esq_dsp_view view;
    enter_view(params, op, arena, rows->first, &view);
    const struct esq_dsp_job job = job_of(params, &view);
    const struct esq_dsp_way *way = params->way;
    int8_t strip[ESQ_MAX_PIXELS * ESQ_STRIP_CHANNELS];
    for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
        pixels = at_most(params->pixels, output->width - x);
        way->unpack(&view, x, pixels);
        for (uint32_t c = 0; c < rows->channels; c += ESQ_STRIP_CHANNELS) {
            const uint32_t channels = at_most(ESQ_STRIP_CHANNELS, rows->channels - c);
            const struct esq_dsp_block block = {c, channels, pixels, strip, ESQ_STRIP_CHANNELS};
            way->finish(params, &job, &block);
            add_strip(strip, pixels, channels, sums + c);
        }
    }
}

#endif
