/* What takes each value by itself: QUANTIZE, RELU and its like, LOGISTIC, TANH, HARD_SWISH, and ADD, SUB
 * and MUL with one constant for all. Mirror: edgesq/lookup.py. */
#include "../esq_windows.h"

static void look_up(const int8_t *table, const int8_t *values, uint32_t count, int8_t *result) {
    for (uint32_t i = 0; i < count; i++) {
        result[i] = table[(uint8_t)values[i]];
    }
}

void esq_run_lookup(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_lookup *params = op->params;
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const int gapless =
        input->pixel_bytes == input->channels && output->pixel_bytes == output->channels;
    const uint32_t runs = gapless ? 1 : output->width;
    const uint32_t run = gapless ? (uint32_t)output->width * output->channels : output->channels;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, input, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t k = 0; k < runs; k++) {
            look_up(params->table, values, run, result);
            values += input->pixel_bytes;
            result += output->pixel_bytes;
        }
    }
}
