/* DEPTHWISE_CONV_2D on int16. Mirror: edgesq/reference/int16.py. */
#include "../esq_arithmetic16.h"

/* The windows of one output pixel. */
struct view {
    const struct esq_conv2d_s16 *conv;
    const struct esq_slot *input;
    const int8_t *const *rows; /* [window.height]; NULL beside the image */
    struct esq_taps taps;
    uint32_t outputs;
};

/* The sum of one output channel: a row's in 32 bits, for which export bounds its taps. */
static int64_t sum_of(const struct view *view, uint32_t source, uint32_t channel) {
    const struct esq_conv2d_s16 *conv = view->conv;
    const uint32_t step = conv->dilation_w * (uint32_t)view->input->pixel_bytes;
    const uint32_t kernel_row = conv->window.width * view->outputs;
    const uint32_t offset_bytes = view->taps.offset_bytes + 2u * source;
    const int8_t *weights = conv->weights + view->taps.first * view->outputs + channel;
    int64_t total = conv->bias[channel];
    for (uint32_t y = 0; y < conv->window.height; y++, weights += kernel_row) {
        if (!view->rows[y]) {
            continue;
        }
        const int8_t *pixel = view->rows[y] + offset_bytes;
        const int8_t *weight = weights;
        int32_t sum = 0;
        for (uint32_t left = view->taps.count; left > 0; left--) {
            sum += *esq_at_s16(pixel) * *weight;
            pixel += step;
            weight += view->outputs;
        }
        total += sum;
    }
    return total;
}

void esq_run_depthwise_conv2d_s16(const struct esq_op *op, int8_t *arena,
                                  struct esq_progress *progress) {
    const struct esq_conv2d_s16 *conv = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct view view = {
        .conv = conv, .input = op->input[0], .rows = rows, .outputs = esq_values_s16(op->output)};
    const uint32_t each = view.outputs / esq_values_s16(op->input[0]);
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&conv->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            view.taps = esq_taps_s16(conv, op->input[0], x);
            int16_t *values = esq_to_s16(result);
            for (uint32_t channel = 0; channel < view.outputs; channel++) {
                const int64_t sum = sum_of(&view, channel / each, channel);
                const int32_t level =
                    esq_rescale_sum_s16(sum, conv->multiplier[channel], conv->shift[channel]);
                values[channel] = esq_clamp_s16(level, conv->clamp_min, conv->clamp_max);
            }
            result += op->output->pixel_bytes;
        }
    }
}
