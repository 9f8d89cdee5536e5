/* SOFTMAX over the channels. Mirror: edgesq/reference/softmax.py, edgesq/arithmetic.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* The sum of exponentials is Q12.19. */
#define ESQ_SUM_INTEGER_BITS 12

#define ESQ_Q2_48_OVER_17 1515870810
#define ESQ_Q2_MINUS_32_OVER_17 (-1010580540)

static int32_t leading_zeros(uint32_t x) {
    int32_t zeros = 32;
    while (x) {
        x >>= 1;
        zeros--;
    }
    return zeros;
}

/* 1 / sum = mantissa (Q0.31) * 2^-bits, by three Newton-Raphson steps. */
static int32_t reciprocal(int32_t sum, int32_t *bits) {
    const int32_t headroom = leading_zeros((uint32_t)sum);
    *bits = ESQ_SUM_INTEGER_BITS - headroom;
    const int32_t fraction = (int32_t)(((uint32_t)sum << headroom) - (1u << 31));
    const int32_t half_denominator = (int32_t)(((int64_t)fraction + INT32_MAX + 1) >> 1);
    int32_t x =
        ESQ_Q2_48_OVER_17 + esq_doubling_high_mul(half_denominator, ESQ_Q2_MINUS_32_OVER_17);
    for (int step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - esq_doubling_high_mul(half_denominator, x);
        x += esq_saturating_shift_left(esq_doubling_high_mul(x, error), 2);
    }
    return esq_saturating_shift_left(x, 1);
}

static inline int32_t exp_of(const struct esq_softmax *params, int32_t below_maximum) {
    return below_maximum < params->count ? params->exp[below_maximum] : 0;
}

static void softmax_pixel(const struct esq_softmax *params, uint32_t channels, const int8_t *pixel,
                          int8_t *result) {
    int32_t maximum = INT8_MIN;
    for (uint32_t c = 0; c < channels; c++) {
        maximum = pixel[c] > maximum ? pixel[c] : maximum;
    }
    int32_t sum = 0;
    for (uint32_t c = 0; c < channels; c++) {
        sum += esq_rounding_divide_by_pot(exp_of(params, maximum - pixel[c]), ESQ_SUM_INTEGER_BITS);
    }
    int32_t bits;
    const int32_t mantissa = reciprocal(sum, &bits);
    const int32_t exponent = bits + 31 - 8; /* past 31, every share is below half a level */
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t share = esq_doubling_high_mul(mantissa, exp_of(params, maximum - pixel[c]));
        const int32_t level = exponent > 31 ? 0 : esq_rounding_divide_by_pot(share, exponent);
        result[c] = esq_clamp(level + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void esq_run_softmax(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_softmax *params = op->params;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *pixel = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            softmax_pixel(params, op->output->channels, pixel, result);
            pixel += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}
