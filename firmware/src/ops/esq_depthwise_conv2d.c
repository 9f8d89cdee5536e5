/* DEPTHWISE_CONV_2D, portable. Mirror: edgesq/reference/conv.py.
 *
 * Four channels at a time where each has one output, so that a window's rows and columns are found
 * once for all four, and their sums stay in registers.
 */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

#define ESQ_TOGETHER 4u

/* The windows of one output pixel, at its first tap inside the image. */
struct view {
    const struct esq_conv2d *params;
    const int8_t *const *rows; /* [window.height]; NULL beside the image */
    struct esq_taps taps;
    uint32_t pixel_bytes;
    uint32_t channels; /* of the output */
};

static void finish(const struct view *view, int32_t sum, uint32_t channel, int8_t *result) {
    const struct esq_conv2d *params = view->params;
    const int32_t scaled = esq_requantize(sum, params->multiplier[channel], params->shift[channel]);
    result[channel] = esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
}

/* Channels [channel, channel + 4). */
static void convolve_four(const struct view *view, uint32_t channel, int8_t *result) {
    const struct esq_conv2d *params = view->params;
    const int32_t input_zp = params->input_zp;
    const uint32_t offset_bytes = view->taps.offset_bytes + channel;
    const int8_t *weights = params->weights + view->taps.first * view->channels + channel;
    int32_t one = params->bias[channel];
    int32_t two = params->bias[channel + 1];
    int32_t three = params->bias[channel + 2];
    int32_t four = params->bias[channel + 3];
    for (uint32_t y = 0; y < params->window.height; y++) {
        if (view->rows[y]) {
            const int8_t *pixel = view->rows[y] + offset_bytes;
            const int8_t *weight = weights;
            for (uint32_t left = view->taps.count; left > 0; left--) {
                one += (pixel[0] - input_zp) * weight[0];
                two += (pixel[1] - input_zp) * weight[1];
                three += (pixel[2] - input_zp) * weight[2];
                four += (pixel[3] - input_zp) * weight[3];
                pixel += view->pixel_bytes;
                weight += view->channels;
            }
        }
        weights += params->window.width * view->channels;
    }
    finish(view, one, channel, result);
    finish(view, two, channel + 1, result);
    finish(view, three, channel + 2, result);
    finish(view, four, channel + 3, result);
}

/* One output channel, of input channel `source`. */
static void convolve_one(const struct view *view, uint32_t source, uint32_t channel,
                         int8_t *result) {
    const struct esq_conv2d *params = view->params;
    const uint32_t offset_bytes = view->taps.offset_bytes + source;
    const int8_t *weights = params->weights + view->taps.first * view->channels + channel;
    int32_t sum = params->bias[channel];
    for (uint32_t y = 0; y < params->window.height; y++) {
        if (view->rows[y]) {
            const int8_t *pixel = view->rows[y] + offset_bytes;
            const int8_t *weight = weights;
            for (uint32_t left = view->taps.count; left > 0; left--) {
                sum += (*pixel - params->input_zp) * *weight;
                pixel += view->pixel_bytes;
                weight += view->channels;
            }
        }
        weights += params->window.width * view->channels;
    }
    finish(view, sum, channel, result);
}

static void convolve_pixel(const struct view *view, uint32_t inputs, int8_t *result) {
    uint32_t channel = 0;
    if (inputs == view->channels) {
        for (; channel + ESQ_TOGETHER <= inputs; channel += ESQ_TOGETHER) {
            convolve_four(view, channel, result);
        }
    }
    const uint32_t each = view->channels / inputs;
    for (; channel < view->channels; channel++) {
        convolve_one(view, channel / each, channel, result);
    }
}

void esq_run_depthwise_conv2d(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_conv2d *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct view view = {.params = params,
                        .rows = rows,
                        .pixel_bytes = op->input[0]->pixel_bytes,
                        .channels = op->output->channels};
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            view.taps = esq_taps_at(&params->window, op->input[0], x);
            convolve_pixel(&view, op->input[0]->channels, result);
            result += op->output->pixel_bytes;
        }
    }
}
