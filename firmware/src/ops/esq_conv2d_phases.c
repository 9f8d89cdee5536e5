/* A dilated or transposed convolution as plain ones, each on some columns and rows of the output.
 * Mirror: edgesq/kernels/phases.py.
 */
#include "../esq_windows.h"

/* The columns of `all` that a phase counts: every step-th from `first` on. */
static struct esq_slot columns_of(const struct esq_slot *all, uint32_t first, uint32_t step,
                                  uint16_t width) {
    struct esq_slot slot = *all;
    slot.offset_bytes += first * all->pixel_bytes;
    slot.pixel_bytes = (uint16_t)(all->pixel_bytes * step);
    slot.width = width;
    return slot;
}

/* What a phase makes of output row `y`, which it counts as `row`. */
static void run_phase(const struct esq_phases *params, uint32_t index, const struct esq_op *op,
                      int8_t *arena, uint32_t y) {
    const struct esq_phase *phase = &params->phases[index];
    const uint32_t row = y / params->rows + phase->first_row;
    const struct esq_slot input =
        columns_of(op->input[0], phase->input_first, params->input_step, phase->input_columns);
    struct esq_slot output =
        columns_of(op->output, phase->output_first, params->output_step, phase->output_columns);
    output.offset_bytes += y % output.ring_rows * output.row_bytes;
    output.ring_rows = 1; /* only this row is written, whatever its number */
    output.height = (uint16_t)(row + 1u);
    struct esq_op one = *op;
    one.params = (const uint8_t *)params->convs + index * params->conv_bytes;
    one.input[0] = &input;
    one.output = &output;
    one.band_units = 1;
    struct esq_progress progress = {0, (uint16_t)row};
    params->run(&one, arena, &progress);
}

void esq_run_conv2d_phases(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_phases *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const uint32_t first = progress->out_row % params->rows * params->columns;
        for (uint32_t column = 0; column < params->columns; column++) {
            run_phase(params, first + column, op, arena, progress->out_row);
        }
    }
}
