/* ADD and SUB on int16. Mirror: edgesq/reference/int16.py. */
#include "../esq_arithmetic16.h"

/* Headroom given to the operands before they are rescaled to a common scale. */
#define ESQ_LEFT_SHIFT_S16 15

static int32_t rescaled(const struct esq_add_s16 *params, uint32_t index, int32_t value) {
    return esq_requantize(value * (1 << ESQ_LEFT_SHIFT_S16), params->multiplier[index],
                          params->shift[index]);
}

static void add_values(const void *params, const int8_t *const *pixels, uint32_t count,
                       int8_t *result) {
    const struct esq_add_s16 by = *(const struct esq_add_s16 *)params;
    const int16_t *first = esq_at_s16(pixels[0]);
    const int16_t *second = esq_at_s16(pixels[1]);
    int16_t *values = esq_to_s16(result);
    for (uint32_t i = 0; i < count; i++) {
        const int32_t sum = rescaled(&by, 0, first[i]) + by.sign * rescaled(&by, 1, second[i]);
        const int32_t level = esq_requantize(sum, by.output_multiplier, by.output_shift);
        values[i] = esq_clamp_s16(level, by.clamp_min, by.clamp_max);
    }
}

void esq_run_add_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_band_s16(op, arena, progress, add_values);
}
