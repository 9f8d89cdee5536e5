/* CONV_2D, portable. Mirror: edgesq/reference/conv.py. */
#include "../esq_arithmetic.h"
#include "../esq_conv2d_sum.h"

void esq_conv2d_s8(const struct esq_conv2d *params, const struct esq_slot *input,
                   const int8_t *const *rows, const struct esq_slot *output,
                   struct esq_columns columns, int8_t *result) {
    for (uint32_t x = columns.first; x < columns.end; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        for (uint32_t channel = 0; channel < output->channels; channel++) {
            const int32_t sum =
                esq_conv2d_sum(params, input->pixel_bytes, input->channels, rows, &taps, channel);
            const int32_t scaled =
                esq_requantize(sum, params->multiplier[channel], params->shift[channel]);
            result[channel] =
                esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
        }
        result += output->pixel_bytes;
    }
}

void esq_portable_compute(const void *conv, const struct esq_op *op, int8_t *arena,
                          const struct esq_rows *rows) {
    const struct esq_conv2d *params = conv;
    const struct esq_columns all = {0, op->output->width};
    const int8_t *under[ESQ_MAX_WINDOW_ROWS];
    struct esq_slot output = *op->output;
    output.channels = (uint16_t)rows->channels;
    for (uint32_t y = rows->first; y < rows->end; y++) {
        esq_rows_under(&params->window, op->input[0], arena, y, under);
        esq_conv2d_s8(params, op->input[0], under, &output, all,
                      esq_row(arena, &output, y) + rows->channel);
    }
}

void esq_run_conv2d(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                  op->output->channels};
    esq_portable_compute(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
}
