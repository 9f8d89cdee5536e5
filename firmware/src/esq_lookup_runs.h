/* Rows of values that are looked up in a table, as long as they lie side by side. */
#ifndef ESQ_LOOKUP_RUNS_H
#define ESQ_LOOKUP_RUNS_H

#include "esq_windows.h"

/* result[i] = table[(uint8_t)values[i]] for all of `count`; result may be values. */
typedef void esq_look_up_fn(const int8_t *table, const int8_t *values, uint32_t count,
                            int8_t *result);

static inline void esq_lookup_runs(const struct esq_op *op, int8_t *arena,
                                   struct esq_progress *progress, esq_look_up_fn *look_up) {
    const struct esq_lookup *params = op->params;
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const int is_gapless =
        input->pixel_bytes == input->channels && output->pixel_bytes == output->channels;
    const uint32_t runs = is_gapless ? 1 : output->width;
    const uint32_t count =
        is_gapless ? (uint32_t)output->width * output->channels : output->channels;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, input, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t k = 0; k < runs; k++) {
            look_up(params->table, values, count, result);
            values += input->pixel_bytes;
            result += output->pixel_bytes;
        }
    }
}

#endif
