/* From sums of a convolution on a scalar core to int8. Mirror: edgesq/arithmetic.py. */
#include "../esq_arithmetic.h"
#include "esq_scalar.h"

static inline int32_t plus(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

#ifndef ESQ_SCALAR_HAS_RELU
/* v * multiplier / 2^31, halves up, of v in (0, 2^30). */
static inline uint32_t scaled_up(int32_t v, uint32_t multiplier) {
    const uint64_t twice = (uint64_t)(2u * (uint32_t)v) * multiplier;
    return (uint32_t)(twice >> 32) + ((uint32_t)twice >> 31);
}

void esq_scalar_end_relu(const struct esq_scalar_block *block) {
    const struct esq_scalar_block own = *block; /* which no result can alias */
    const uint32_t above = (uint32_t)(own.clamp_max - own.output_zp);
    const int32_t *sums = own.sums;
    for (uint32_t c = 0; c < own.channels; c++) {
        const int32_t bias = own.bias[c];
        const uint32_t multiplier = (uint32_t)own.multiplier[c];
        const uint32_t right = (uint32_t)-own.shift[c];
        const uint32_t half = 1u << right >> 1;
        int8_t *result = own.result + c;
        for (const int32_t *sum = sums, *end = sums + own.pixels; sum != end; sum++) {
            const int32_t value = plus(*sum, bias);
            uint32_t level = 0;
            if (value > 0) {
                level = (scaled_up(value, multiplier) + half) >> right;
                level = level > above ? above : level;
            }
            *result = (int8_t)((int32_t)level + own.output_zp);
            result += own.pixel_bytes;
        }
        sums += own.width;
    }
}
#endif

void esq_scalar_end_channel(const struct esq_scalar_block *block, uint32_t channel) {
    const int32_t *sums = block->sums + channel * block->width;
    const int32_t bias = block->bias[channel];
    const int32_t multiplier = block->multiplier[channel];
    const int32_t shift = block->shift[channel];
    int8_t *result = block->result + channel;
    for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
        const int32_t scaled = esq_requantize(plus(sums[pixel], bias), multiplier, shift);
        *result = esq_clamp(scaled + block->output_zp, block->clamp_min, block->clamp_max);
        result += block->pixel_bytes;
    }
}

#ifndef ESQ_SCALAR_HAS_ANY
void esq_scalar_end_any(const struct esq_scalar_block *block) {
    for (uint32_t channel = 0; channel < block->channels; channel++) {
        esq_scalar_end_channel(block, channel);
    }
}
#endif

void esq_scalar_end_once(const struct esq_scalar_block *block) {
    const int32_t *sums = block->sums;
    for (uint32_t c = 0; c < block->channels; c++) {
        const struct esq_rescaling *by = &block->rescaling[c];
        int8_t *result = block->result + c;
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            const int32_t sum = plus(sums[pixel], block->bias[c]);
            const int32_t level = esq_rescale(sum, by->multiplier, by->limit);
            *result = esq_clamp(level + block->output_zp, block->clamp_min, block->clamp_max);
            result += block->pixel_bytes;
        }
        sums += block->width;
    }
}
