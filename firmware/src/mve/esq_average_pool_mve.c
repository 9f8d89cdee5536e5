/* AVERAGE_POOL_2D over a ring of rows on MVE. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_average.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* The sums of four channels over the taps of one row; `there` says which of them exist. */
static inline int32x4_t add_row(int32x4_t sums, const int8_t *tap, uint32_t tap_bytes,
                                uint32_t taps, mve_pred16_t there) {
    for (; taps > 0; taps--) {
        sums = vaddq_s32(sums, vldrbq_z_s32(tap, there));
        tap += tap_bytes;
    }
    return sums;
}

static void average_pixel(const struct esq_pool *params, const struct esq_slot *input,
                          const int8_t *const *rows, const struct esq_taps *taps, int8_t *result) {
    const struct esq_present inside = esq_present_rows(rows, params->window.height);
    const int32_t count = (int32_t)(inside.count * taps->count);
    for (uint32_t c = 0; c < input->channels; c += 4) {
        const uint32_t channels = input->channels - c < 4 ? input->channels - c : 4;
        int32x4_t sums = vdupq_n_s32(0);
        for (uint32_t y = 0; y < inside.count; y++) {
            const int8_t *tap = rows[inside.first + y] + taps->offset_bytes + c;
            sums = add_row(sums, tap, input->pixel_bytes, taps->count, vctp32q(channels));
        }
        int32_t totals[4];
        vstrwq_s32(totals, sums);
        for (uint32_t i = 0; i < channels; i++) {
            result[c + i] =
                esq_clamp(esq_rounded_mean(totals[i], count), params->clamp_min, params->clamp_max);
        }
    }
}

void esq_run_average_pool_mve(const struct esq_op *op, int8_t *arena,
                              struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            const struct esq_taps taps = esq_taps_at(&params->window, op->input[0], x);
            average_pixel(params, op->input[0], rows, &taps, result);
            result += op->output->pixel_bytes;
        }
    }
}

#endif
