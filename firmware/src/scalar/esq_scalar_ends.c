/* From sums of a convolution on a scalar core to int8. Mirror: edgesq/arithmetic.py. */
#include "../esq_arithmetic.h"
#include "esq_scalar.h"

static inline int32_t plus(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

#ifndef ESQ_SCALAR_HAS_RELU
void esq_scalar_end_relu(const struct esq_scalar_block *block) {
    const int32_t *sums = block->sums;
    const int32_t above = block->clamp_max - block->output_zp;
    const uint32_t pixel_bytes = block->pixel_bytes;
    for (uint32_t c = 0; c < block->channels; c++) {
        const int32_t bias = block->bias[c];
        const uint32_t multiplier = (uint32_t)block->multiplier[c];
        const uint32_t right = (uint32_t)-block->shift[c];
        const uint32_t half = 1u << right >> 1;
        int8_t *result = block->result + c;
        for (const int32_t *end = sums + block->pixels, *sum = sums; sum != end; sum++) {
            const int32_t value = plus(*sum, bias);
            uint32_t level = 0;
            if (value > 0) {
                const uint64_t product = (uint64_t)(uint32_t)value * multiplier + (1u << 30);
                level = ((uint32_t)(product >> 31) + half) >> right;
            }
            *result =
                (int8_t)((level > (uint32_t)above ? above : (int32_t)level) + block->output_zp);
            result += pixel_bytes;
        }
        sums += block->width;
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
