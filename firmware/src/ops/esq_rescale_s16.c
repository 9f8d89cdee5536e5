/* QUANTIZE, RELU and RELU6 on int16. Mirror: edgesq/reference/int16.py. */
#include "../esq_arithmetic16.h"

static void rescale_values(const void *params, const int8_t *const *pixels, uint32_t count,
                           int8_t *result) {
    const struct esq_rescale_s16 by = *(const struct esq_rescale_s16 *)params;
    const int16_t *from = esq_at_s16(pixels[0]);
    int16_t *values = esq_to_s16(result);
    for (uint32_t i = 0; i < count; i++) {
        const int32_t level = esq_requantize(from[i], by.multiplier, by.shift);
        values[i] = esq_clamp_s16(level, by.clamp_min, by.clamp_max);
    }
}

void esq_run_rescale_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_band_s16(op, arena, progress, rescale_values);
}
