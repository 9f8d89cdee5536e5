/* MAX_POOL_2D and AVERAGE_POOL_2D on int16. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic16.h"
#include "../esq_average.h"

static void take_row(const struct esq_pool *pool, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *result, int begin) {
    const void *place = pool;
    const struct esq_pool_s16 *params = place;
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        int16_t *values = esq_to_s16(result);
        for (uint32_t c = 0; c < esq_values_s16(output); c++) {
            const int8_t *pixel = row + taps.offset_bytes + 2u * c;
            int32_t maximum = begin ? INT16_MIN : values[c];
            for (uint32_t tap = 0; tap < taps.count; tap++) {
                const int32_t value = *esq_at_s16(pixel);
                maximum = value > maximum ? value : maximum;
                pixel += input->pixel_bytes;
            }
            values[c] = esq_clamp_s16(maximum, params->clamp_min, params->clamp_max);
        }
        result += output->pixel_bytes;
    }
}

void esq_run_max_pool_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}

static int32_t average_at(const struct esq_pool_s16 *params, const struct esq_slot *input,
                          const int8_t *const *rows, const struct esq_taps *taps, uint32_t c) {
    int32_t sum = 0;
    int32_t count = 0;
    for (uint32_t y = 0; y < params->window.height; y++) {
        if (!rows[y]) {
            continue;
        }
        const int8_t *pixel = rows[y] + taps->offset_bytes + 2u * c;
        for (uint32_t tap = 0; tap < taps->count; tap++) {
            sum += *esq_at_s16(pixel);
            pixel += input->pixel_bytes;
        }
        count += (int32_t)taps->count;
    }
    return esq_rounded_mean(sum, count);
}

void esq_run_average_pool_s16(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_pool_s16 *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            const struct esq_taps taps = esq_taps_at(&params->window, op->input[0], x);
            int16_t *values = esq_to_s16(result);
            for (uint32_t c = 0; c < esq_values_s16(op->output); c++) {
                const int32_t level = average_at(params, op->input[0], rows, &taps, c);
                values[c] = esq_clamp_s16(level, params->clamp_min, params->clamp_max);
            }
            result += op->output->pixel_bytes;
        }
    }
}
