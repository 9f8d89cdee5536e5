/* From the sums of a convolution on the DSP extension to int8. Mirror: edgesq/codegen/pack_dsp.py. */
#include "../esq_arithmetic.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* Output channels whose plain sums are held at a time, on the stack. */
#define SUMS_CHANNELS 16u

void esq_dsp_finish_relu(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                         const struct esq_dsp_block *block) {
    static esq_dsp_kernel *const kernels[] = {esq_dsp_relu_1, esq_dsp_relu_2, esq_dsp_relu_3};
    struct esq_dsp_job job = *begun;
    const uint32_t pair = block->first / 2u;
    job.weights += pair * params->groups * ESQ_DSP_GROUP_BYTES;
    job.table = params->table + pair * 8u;
    job.table_end = job.table + block->channels / 2u * 8u;
    job.result = block->result;
    job.pixel_bytes = block->pixel_bytes;
    kernels[block->pixels - 1](&job);
}

/* The exact double rounding and any clamp, about 25 instructions per value. */
static void requantize(const struct esq_conv2d_dsp *params, const int32_t *sums,
                       const struct esq_dsp_block *block) {
    const uint32_t step = 2u / params->pair_channels * block->pixels;
    sums += (2u - params->pair_channels) * block->pixels; /* B alone */
    for (uint32_t c = 0; c < block->channels; c++) {
        const int32_t multiplier = params->multiplier[block->first + c];
        const int32_t shift = params->shift[block->first + c];
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            const int32_t scaled = esq_requantize(sums[pixel], multiplier, shift);
            block->result[pixel * block->pixel_bytes + c] =
                esq_clamp(scaled + params->output_zp, params->clamp_min, params->clamp_max);
        }
        sums += step;
    }
}

void esq_dsp_finish_any(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                        const struct esq_dsp_block *block) {
    static esq_dsp_kernel *const kernels[] = {esq_dsp_sums_1, esq_dsp_sums_2, esq_dsp_sums_3};
    int32_t sums[SUMS_CHANNELS * 3u];
    const uint32_t most = SUMS_CHANNELS / 2u * params->pair_channels;
    struct esq_dsp_block part = *block;
    for (uint32_t left = block->channels; left > 0; left -= part.channels) {
        part.channels = left < most ? left : most;
        struct esq_dsp_job job = *begun;
        const uint32_t pair = part.first / params->pair_channels;
        const uint32_t pairs = (part.channels + params->pair_channels - 1u) / params->pair_channels;
        job.weights += pair * params->groups * ESQ_DSP_GROUP_BYTES;
        job.table = params->table + pair * 2u;
        job.table_end = job.table + pairs * 2u;
        job.result = sums;
        kernels[block->pixels - 1](&job);
        requantize(params, sums, &part);
        part.first += part.channels;
        part.result += part.channels;
    }
}

#endif
