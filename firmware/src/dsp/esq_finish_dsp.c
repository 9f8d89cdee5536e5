/* From sums of a convolution on the DSP extension to int8. Mirror: edgesq/kernels/dsp/pack.py. */
#include "../esq_arithmetic.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* Output channels whose plain sums are held at a time, on the stack. */
#define ESQ_SUMS_CHANNELS 16u

/* int32 per channel pair in the tables. */
#define ESQ_RELU_ROW 8u
#define ESQ_SUMS_ROW 2u

/* The begun job for channel pairs [pair, pair + pairs). */
static struct esq_dsp_job job_for(const struct esq_conv2d_dsp *params,
                                  const struct esq_dsp_job *begun, uint32_t pair, uint32_t pairs,
                                  uint32_t row) {
    struct esq_dsp_job job = *begun;
    job.weights += pair * params->groups * 2u * params->slide;
    job.table = params->table + pair * row;
    job.table_end = job.table + pairs * row;
    return job;
}

void esq_dsp_finish_relu(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                         const struct esq_dsp_block *block) {
    struct esq_dsp_job job =
        job_for(params, begun, block->first / 2u, block->channels / 2u, ESQ_RELU_ROW);
    job.result = block->result;
    job.pixel_bytes = block->pixel_bytes;
    params->way->kernels[block->pixels - 1](&job);
}

/* From a block's sums [channels, pixels], channels `step` apart, to int8. */
typedef void end_fn(const struct esq_conv2d_dsp *params, const int32_t *sums, uint32_t step,
                    const struct esq_dsp_block *block);

/* The exact double rounding and any clamp, about 25 instructions per value. */
static void requantize(const struct esq_conv2d_dsp *params, const int32_t *sums, uint32_t step,
                       const struct esq_dsp_block *block) {
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

static void rescale(const struct esq_conv2d_dsp *params, const int32_t *sums, uint32_t step,
                    const struct esq_dsp_block *block) {
    for (uint32_t c = 0; c < block->channels; c++) {
        const struct esq_rescaling *by = &params->rescaling[block->first + c];
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            const int32_t level = esq_rescale(sums[pixel], by->multiplier, by->limit);
            block->result[pixel * block->pixel_bytes + c] =
                esq_clamp(level + params->output_zp, params->clamp_min, params->clamp_max);
        }
        sums += step;
    }
}

static void finish_sums(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                        const struct esq_dsp_block *block, end_fn *end) {
    esq_dsp_kernel *const kernel = params->way->kernels[block->pixels - 1];
    int32_t sums[ESQ_SUMS_CHANNELS * 3u];
    const uint32_t most = ESQ_SUMS_CHANNELS / 2u * params->pair_channels;
    const uint32_t step = 2u / params->pair_channels * block->pixels;
    const uint32_t first = (2u - params->pair_channels) * block->pixels; /* B alone */
    struct esq_dsp_block part = *block;
    for (uint32_t left = block->channels; left > 0; left -= part.channels) {
        part.channels = left < most ? left : most;
        const uint32_t pairs = (part.channels + params->pair_channels - 1u) / params->pair_channels;
        struct esq_dsp_job job =
            job_for(params, begun, part.first / params->pair_channels, pairs, ESQ_SUMS_ROW);
        job.result = sums;
        kernel(&job);
        end(params, sums + first, step, &part);
        part.first += part.channels;
        part.result += part.channels;
    }
}

void esq_dsp_finish_any(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                        const struct esq_dsp_block *block) {
    finish_sums(params, begun, block, requantize);
}

void esq_dsp_finish_once(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                         const struct esq_dsp_block *block) {
    finish_sums(params, begun, block, rescale);
}

/* Kernels are the same for all windows that do not slide. */
#define ESQ_WAY(windows, end, form, sums, padded)                                                  \
    const struct esq_dsp_way esq_dsp_##windows##_##end = {                                         \
        esq_dsp_unpack_##windows,                                                                  \
        esq_dsp_finish_##end,                                                                      \
        {esq_dsp_##form##_##sums##_1, esq_dsp_##form##_##sums##_2, esq_dsp_##form##_##sums##_3},   \
        padded,                                                                                    \
    }

#define ESQ_WAYS(windows, form, padded)                                                            \
    ESQ_WAY(windows, relu, form, relu, padded);                                                    \
    ESQ_WAY(windows, any, form, sums, padded);                                                     \
    ESQ_WAY(windows, once, form, sums, padded)

ESQ_WAYS(columns, each, 0);
ESQ_WAYS(slide, slide, 0);
ESQ_WAYS(windows, each, 0);
ESQ_WAYS(staged, each, 1);

#endif
