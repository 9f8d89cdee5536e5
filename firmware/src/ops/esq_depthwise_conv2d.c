/* DEPTHWISE_CONV_2D, portable. Mirror: edgesq/reference/depthwise_conv2d.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* Sum over one kernel row of one channel. */
static int32_t row_sum(const int8_t *pixel, uint32_t pixel_bytes, const int8_t *weights,
                       uint32_t channels, uint32_t taps, int32_t input_zp) {
    int32_t sum = 0;
    for (; taps > 0; taps--) {
        sum += (*pixel - input_zp) * *weights;
        pixel += pixel_bytes;
        weights += channels;
    }
    return sum;
}

/* One output pixel; `taps` lie inside the image. */
static void convolve_pixel(const struct esq_conv2d *params, const struct esq_slot *input,
                           const int8_t *const *rows, const struct esq_slot *output,
                           struct esq_taps taps, int8_t *result) {
    const struct esq_window *window = &params->window;
    const uint32_t each = output->channels / input->channels;
    const uint32_t kernel_row = (uint32_t)window->width * output->channels;
    for (uint32_t channel = 0; channel < output->channels; channel++) {
        const uint32_t offset_bytes = taps.offset_bytes + channel / each;
        const int8_t *weights = params->weights + taps.first * output->channels + channel;
        int32_t sum = params->bias[channel];
        for (uint32_t y = 0; y < window->height; y++) {
            if (rows[y]) {
                sum += row_sum(rows[y] + offset_bytes, input->pixel_bytes, weights,
                               output->channels, taps.count, params->input_zp);
            }
            weights += kernel_row;
        }
        const int32_t scaled =
            esq_requantize(sum, params->multiplier[channel], params->shift[channel]);
        result[channel] =
            esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
    }
}

void esq_run_depthwise_conv2d(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_conv2d *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            const struct esq_taps taps = esq_taps_at(&params->window, op->input[0], x);
            convolve_pixel(params, op->input[0], rows, op->output, taps, result);
            result += op->output->pixel_bytes;
        }
    }
}
