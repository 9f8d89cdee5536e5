/* From the sums of a convolution on MVE to int8. Mirror: edgesq/kernels/mve/pack.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_mve.h"
#include "esq_requantize_mve.h"

/* Channels whose plain sums are held at a time, on the stack. */
#define ESQ_SUMS_CHANNELS 16u

struct esq_mve_job esq_mve_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *job,
                                uint32_t first, uint32_t channels) {
    struct esq_mve_job part = *job;
    const uint32_t quad = first / ESQ_MVE_QUAD;
    const uint32_t quads = (channels + ESQ_MVE_QUAD - 1u) / ESQ_MVE_QUAD;
    part.channels = channels;
    part.weights += quad * params->blocks * ESQ_MVE_QUAD * ESQ_MVE_BLOCK;
    part.table += quad * ESQ_MVE_TABLE_ROW;
    part.table_end = part.table + quads * ESQ_MVE_TABLE_ROW;
    if (part.bias) {
        part.bias += quad * ESQ_MVE_EDGE_ROW;
    }
    return part;
}

void esq_mve_finish_slide(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    if (job->bias) {
        esq_mve_slide_edge(params, job);
    } else {
        esq_mve_slide_relu(params, job);
    }
}

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

static inline int32x4_t requantize(const struct esq_conv2d_mve *params, int32x4_t sums,
                                   const int32_t *table) {
    const int32x4_t biased = vaddq_s32(sums, vldrwq_s32(table));
    const int32x4_t scaled = esq_mve_requantize(biased, vldrwq_s32(table + ESQ_MVE_QUAD),
                                                vldrwq_s32(table + 2 * ESQ_MVE_QUAD),
                                                vldrwq_s32(table + 3 * ESQ_MVE_QUAD));
    return esq_mve_clamp(scaled, params->output_zp, params->clamp_min, params->clamp_max);
}

/* From a part's sums [quads, pixels, 4] to int8. */
typedef void end_fn(const struct esq_conv2d_mve *params, const struct esq_mve_job *part,
                    uint32_t first, const int32_t *sums);

/* Any number of channels: the last vector is stored in part. */
static void requantize_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *part,
                            uint32_t first, const int32_t *sums) {
    int8_t *result = part->result;
    const int32_t *table = part->table;
    (void)first;
    for (uint32_t c = 0; c < part->channels; c += ESQ_MVE_QUAD) {
        const mve_pred16_t there = vctp32q(part->channels - c);
        for (uint32_t pixel = 0; pixel < part->count; pixel++) {
            const int32x4_t values = requantize(params, vldrwq_s32(sums), table);
            vstrbq_p_s32(result + pixel * part->pixel_bytes + c, values, there);
            sums += ESQ_MVE_QUAD;
        }
        table += ESQ_MVE_TABLE_ROW;
    }
}

static void rescale_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *part,
                         uint32_t first, const int32_t *sums) {
    int8_t *result = part->result;
    for (uint32_t c = 0; c < part->channels; c++) {
        const struct esq_rescaling *by = &params->rescaling[first + c];
        const uint32_t quad = c / ESQ_MVE_QUAD;
        const uint32_t lane = c % ESQ_MVE_QUAD;
        const int32_t bias = part->table[quad * ESQ_MVE_TABLE_ROW + lane];
        const int32_t *sum = sums + quad * part->count * ESQ_MVE_QUAD + lane;
        for (uint32_t pixel = 0; pixel < part->count; pixel++) {
            const int32_t level = esq_rescale(*sum + bias, by->multiplier, by->limit);
            result[pixel * part->pixel_bytes + c] =
                esq_clamp(level + params->output_zp, params->clamp_min, params->clamp_max);
            sum += ESQ_MVE_QUAD;
        }
    }
}

static void finish_sums(const struct esq_conv2d_mve *params, const struct esq_mve_job *job,
                        end_fn *end) {
    int32_t sums[ESQ_SUMS_CHANNELS * ESQ_MVE_PIXELS];
    struct esq_mve_job pixels = *job;
    int8_t *result = job->result;
    for (uint32_t left = job->count; left > 0; left -= pixels.count) {
        pixels.count = at_most(ESQ_MVE_PIXELS, left);
        for (uint32_t first = 0; first < job->channels; first += ESQ_SUMS_CHANNELS) {
            const uint32_t channels = at_most(ESQ_SUMS_CHANNELS, job->channels - first);
            struct esq_mve_job part = esq_mve_part(params, &pixels, first, channels);
            part.result = sums;
            esq_mve_sums(params, &part);
            part.result = result + first;
            end(params, &part, first, sums);
        }
        pixels.window += pixels.count * pixels.step_bytes;
        result += pixels.count * pixels.pixel_bytes;
    }
}

void esq_mve_finish_any(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    finish_sums(params, job, requantize_part);
}

void esq_mve_finish_once(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    finish_sums(params, job, rescale_part);
}

#endif
