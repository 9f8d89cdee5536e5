/* FULLY_CONNECTED, portable. Mirror: edgesq/reference/conv.py. */
#include "../esq_arithmetic.h"
#include "../esq_conv2d_sum.h"

static void connect_pixel(const struct esq_conv2d *conv, const struct esq_op *op,
                          const int8_t *const *rows, uint32_t column, int8_t *result) {
    const struct esq_slot *input = op->input[0];
    const struct esq_taps taps = esq_taps_at(&conv->window, input, column);
    for (uint32_t channel = 0; channel < op->output->channels; channel++) {
        const struct esq_rescaling *by = &conv->rescaling[channel];
        const int32_t sum =
            esq_conv2d_sum(conv, input->pixel_bytes, input->channels, rows, &taps, channel);
        const int32_t level = esq_rescale(sum, by->multiplier, by->limit);
        result[channel] = esq_clamp(level + conv->output_zp, conv->clamp_min, conv->clamp_max);
    }
}

void esq_run_fully_connected(const struct esq_op *op, int8_t *arena,
                             struct esq_progress *progress) {
    const struct esq_conv2d *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            connect_pixel(params, op, rows, x, result);
            result += op->output->pixel_bytes;
        }
    }
}
