/* From sums of a convolution on the DSP extension to int8. Mirror: edgesq/kernels/dsp/pack.py. */
#include "../esq_arithmetic.h"
#include "esq_clamp_dsp.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* Output channels whose plain sums are held at a time, on the stack; even. */
#define ESQ_SUMS_CHANNELS 8u
#define ESQ_MAX_PIXELS 3u

/* int32 per channel pair in the table of the short requantization. */
#define ESQ_SHORT_ROW 8u

/* The begun job for channel pairs from `pair` on. */
static struct esq_dsp_job job_for(const struct esq_conv2d_dsp *params,
                                  const struct esq_dsp_job *begun, uint32_t pair) {
    struct esq_dsp_job job = *begun;
    job.weights += pair * params->groups * 2u * params->slide;
    return job;
}

void esq_dsp_finish_short(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                          const struct esq_dsp_block *block) {
    const uint32_t pair = block->first / 2u;
    const uint32_t pairs = block->channels / 2u;
    struct esq_dsp_job job = job_for(params, begun, pair);
    job.table = params->table + pair * ESQ_SHORT_ROW;
    job.table_end = job.table + pairs * ESQ_SHORT_ROW;
    job.result = block->result;
    job.pixel_bytes = block->pixel_bytes;
    if (pairs > 0) {
        params->way->kernels[block->pixels - 1](&job);
    }
    if (params->odd) {
        params->odd_way->finish(params, begun, block);
    }
    if (params->clamp_min != INT8_MIN || params->clamp_max != INT8_MAX) {
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            esq_dsp_clamp(block->result + pixel * block->pixel_bytes, block->channels,
                          params->clamp_min, params->clamp_max);
        }
    }
}

/* Plain sums [pairs][2][pixels] of up to ESQ_SUMS_CHANNELS channels without their biases, in
 * segments so short that no sum of A leaves 24 bits. */
static void sum_up(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                   esq_dsp_kernel *kernel, uint32_t pair, uint32_t pairs, uint32_t pixels,
                   int32_t *sums) {
    static const int32_t zeros[ESQ_SUMS_CHANNELS];
    int32_t part[ESQ_SUMS_CHANNELS * ESQ_MAX_PIXELS];
    const uint32_t most = ESQ_DSP_SEGMENT / 4u / params->slide;
    const uint32_t group_words = 2u * params->slide;
    struct esq_dsp_job job = job_for(params, begun, pair);
    job.table = zeros;
    job.table_end = zeros + 2u * pairs;
    job.result = sums;
    for (uint32_t left = begun->groups; left > 0; left -= job.groups) {
        const uint32_t others = begun->groups - (left < most ? left : most);
        job.groups = begun->groups - others;
        job.gap_bytes = begun->gap_bytes + others * group_words * (uint32_t)sizeof *job.weights;
        kernel(&job);
        if (job.result == part) {
            for (uint32_t i = 0; i < 2u * pairs * pixels; i++) {
                sums[i] += part[i];
            }
        }
        job.result = part;
        job.weights += job.groups * group_words;
        job.activations += job.groups * 2u * (pixels + params->slide - 1u);
    }
}

void esq_dsp_finish_odd(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                        const struct esq_dsp_block *block) {
    esq_dsp_kernel *const kernel = params->odd_way->kernels[block->pixels - 1];
    const uint32_t first = params->first + block->first;
    int32_t sums[2u * ESQ_MAX_PIXELS];
    for (const struct esq_dsp_odd *odd = params->odd; odd->channel < first + block->channels;
         odd++) {
        if (odd->channel < first) {
            continue;
        }
        const uint32_t place = odd->channel - first; /* an even number of channels are before it */
        const int32_t *sum = sums + odd->channel % 2u * block->pixels;
        int8_t *result = block->result + place;
        sum_up(params, begun, kernel, (block->first + place) / 2u, 1, block->pixels, sums);
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            const int32_t level =
                esq_requantize(sum[pixel] + odd->bias, odd->multiplier, odd->shift);
            *result = esq_clamp(level + params->output_zp, INT8_MIN, INT8_MAX);
            result += block->pixel_bytes;
        }
    }
}

/* From a channel's sums to levels of a block's pixels, 0 for the output's zero point. */
typedef void levels_fn(const struct esq_conv2d_dsp *params, uint32_t channel, const int32_t *sums,
                       uint32_t pixels, int32_t *levels);

/* The exact double rounding, about 25 instructions per value. */
static void requantize(const struct esq_conv2d_dsp *params, uint32_t channel, const int32_t *sums,
                       uint32_t pixels, int32_t *levels) {
    const int32_t multiplier = params->multiplier[channel];
    const int32_t shift = params->shift[channel];
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        levels[pixel] = esq_requantize(sums[pixel] + params->table[channel], multiplier, shift);
    }
}

static void rescale(const struct esq_conv2d_dsp *params, uint32_t channel, const int32_t *sums,
                    uint32_t pixels, int32_t *levels) {
    const struct esq_rescaling *by = &params->rescaling[channel];
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        levels[pixel] =
            esq_rescale(sums[pixel] + params->table[channel], by->multiplier, by->limit);
    }
}

static void finish_sums(const struct esq_conv2d_dsp *params, const struct esq_dsp_job *begun,
                        const struct esq_dsp_block *block, levels_fn *levels_of) {
    esq_dsp_kernel *const kernel = params->way->kernels[block->pixels - 1];
    int32_t sums[ESQ_SUMS_CHANNELS * ESQ_MAX_PIXELS];
    const uint32_t beside = params->pair_channels;
    for (uint32_t c = 0; c < block->channels; c++) {
        const uint32_t place = c % (ESQ_SUMS_CHANNELS / 2u * beside);
        if (place == 0) {
            const uint32_t pairs = (block->channels - c + beside - 1u) / beside;
            sum_up(params, begun, kernel, (block->first + c) / beside,
                   pairs < ESQ_SUMS_CHANNELS / 2u ? pairs : ESQ_SUMS_CHANNELS / 2u, block->pixels,
                   sums);
        }
        const uint32_t lane = beside == 1u ? 2u * place + 1u : place; /* B alone */
        int32_t levels[ESQ_MAX_PIXELS];
        levels_of(params, params->first + block->first + c, sums + lane * block->pixels,
                  block->pixels, levels);
        for (uint32_t pixel = 0; pixel < block->pixels; pixel++) {
            block->result[pixel * block->pixel_bytes + c] =
                esq_clamp(levels[pixel] + params->output_zp, params->clamp_min, params->clamp_max);
        }
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
#define ESQ_WAY(windows, end, finish, form, sums, padded, upper_bits)                              \
    const struct esq_dsp_way esq_dsp_##windows##_##end = {                                         \
        esq_dsp_unpack_##windows,                                                                  \
        esq_dsp_finish_##finish,                                                                   \
        {esq_dsp_##form##_##sums##_1, esq_dsp_##form##_##sums##_2, esq_dsp_##form##_##sums##_3},   \
        padded,                                                                                    \
        upper_bits,                                                                                \
    }

#define ESQ_WAYS(windows, form, padded)                                                            \
    ESQ_WAY(windows, relu, short, form, relu, padded, 7);                                          \
    ESQ_WAY(windows, linear, short, form, linear, padded, 0);                                      \
    ESQ_WAY(windows, odd, odd, form, sums, padded, 0);                                             \
    ESQ_WAY(windows, any, any, form, sums, padded, 0);                                             \
    ESQ_WAY(windows, once, once, form, sums, padded, 0)

ESQ_WAYS(columns, each, 0);
ESQ_WAYS(slide, slide, 0);
ESQ_WAYS(windows, each, 0);
ESQ_WAYS(staged, each, 1);

#endif
