/* CONV_2D in groups, portable. Mirror: edgesq/reference/conv.py. */
#include "../esq_arithmetic.h"
#include "../esq_conv2d_sum.h"

static void convolve_pixel(const struct esq_conv2d *conv, const struct esq_op *op,
                           const int8_t *const *rows, uint32_t column, int8_t *result) {
    const struct esq_slot *input = op->input[0];
    const uint32_t depth = conv->depth;
    const uint32_t each = op->output->channels / (input->channels / depth);
    struct esq_taps taps = esq_taps_at(&conv->window, input, column);
    uint32_t left = each; /* channels of the group */
    for (uint32_t channel = 0; channel < op->output->channels; channel++, left--) {
        if (left == 0) {
            taps.offset_bytes += depth;
            left = each;
        }
        const int32_t sum = esq_conv2d_sum(conv, input->pixel_bytes, depth, rows, &taps, channel);
        const int32_t scaled = esq_requantize(sum, conv->multiplier[channel], conv->shift[channel]);
        result[channel] = esq_clamp(scaled + conv->output_zp, conv->clamp_min, conv->clamp_max);
    }
}

void esq_run_grouped_conv2d(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            convolve_pixel(params, op, rows, x, result);
            result += op->output->pixel_bytes;
        }
    }
}
