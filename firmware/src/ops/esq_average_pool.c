/* AVERAGE_POOL_2D over a ring of rows. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_average.h"
#include "../esq_windows.h"

typedef int32_t rounded_fn(int32_t sum, int32_t count);

static inline void average(const struct esq_pool *params, const struct esq_slot *input,
                           const int8_t *const *rows, const struct esq_slot *output, int8_t *result,
                           rounded_fn *rounded) {
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        for (uint32_t c = 0; c < output->channels; c++) {
            int32_t sum = 0;
            int32_t count = 0;
            for (uint32_t y = 0; y < params->window.height; y++) {
                if (!rows[y]) {
                    continue;
                }
                const int8_t *value = rows[y] + taps.offset_bytes + c;
                for (uint32_t tap = 0; tap < taps.count; tap++) {
                    sum += *value;
                    value += input->pixel_bytes;
                }
                count += (int32_t)taps.count;
            }
            result[c] = esq_clamp(rounded(sum, count), params->clamp_min, params->clamp_max);
        }
        result += output->pixel_bytes;
    }
}

void esq_average_pool_s8(const struct esq_pool *params, const struct esq_slot *input,
                         const int8_t *const *rows, const struct esq_slot *output, int8_t *result) {
    average(params, input, rows, output, result, esq_rounded_mean);
}

void esq_run_average_pool(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        esq_average_pool_s8(params, op->input[0], rows, op->output,
                            esq_row(arena, op->output, progress->out_row));
    }
}

void esq_run_halves_up_pool(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        average(params, op->input[0], rows, op->output,
                esq_row(arena, op->output, progress->out_row), esq_rounded_up_mean);
    }
}
