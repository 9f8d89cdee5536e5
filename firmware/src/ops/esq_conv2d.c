/* CONV_2D, portable. Mirror: edgesq/reference/conv2d.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* Sum over one kernel row, taps [first, end) of the window. */
static int32_t row_sum(const int8_t *pixels, uint32_t pixel_bytes, const int8_t *weights,
                       uint32_t channels, uint32_t taps, int32_t input_zp) {
    int32_t sum = 0;
    for (uint32_t tap = 0; tap < taps; tap++) {
        for (uint32_t c = 0; c < channels; c++) {
            sum += (pixels[c] - input_zp) * weights[c];
        }
        pixels += pixel_bytes;
        weights += channels;
    }
    return sum;
}

void esq_conv2d_s8(const struct esq_conv2d *params, const struct esq_slot *input,
                   const int8_t *const *rows, const struct esq_slot *output,
                   struct esq_columns columns, int8_t *result) {
    const struct esq_window *window = &params->window;
    const uint32_t kernel_row = (uint32_t)window->width * input->channels;
    for (uint32_t x = columns.first; x < columns.end; x++) {
        const struct esq_taps taps = esq_taps_at(window, input, x);
        const int8_t *weights = params->weights + taps.first * input->channels;
        for (uint32_t channel = 0; channel < output->channels; channel++) {
            int32_t sum = params->bias[channel];
            for (uint32_t y = 0; y < window->height; y++) {
                if (rows[y]) {
                    sum += row_sum(rows[y] + taps.offset_bytes, input->pixel_bytes, weights,
                                   input->channels, taps.count, params->input_zp);
                }
                weights += kernel_row;
            }
            const int32_t scaled =
                esq_requantize(sum, params->multiplier[channel], params->shift[channel]);
            result[channel] =
                esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
        }
        result += output->pixel_bytes;
    }
}

void esq_run_conv2d(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    const struct esq_columns all = {0, op->output->width};
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        esq_conv2d_s8(params, op->input[0], rows, op->output, all,
                      esq_row(arena, op->output, progress->out_row));
    }
}
