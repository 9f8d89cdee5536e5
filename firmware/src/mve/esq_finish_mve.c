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
    part.channels = channels;
    part.weights += quad * params->blocks * ESQ_MVE_QUAD * ESQ_MVE_BLOCK;
    part.table += quad * params->table_row;
    const uint32_t quads = (channels + ESQ_MVE_QUAD - 1u) / ESQ_MVE_QUAD;
    part.table_end = part.table + quads * params->table_row;
    return part;
}

void esq_mve_finish_relu(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    static esq_mve_kernel *const kernels[] = {esq_mve_relu_1, esq_mve_relu_2, esq_mve_relu_3};
    (void)params;
    kernels[job->count - 1](job);
}

void esq_mve_finish_edges(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    static esq_mve_kernel *const inner[] = {esq_mve_inner_1, esq_mve_inner_2, esq_mve_inner_3};
    static esq_mve_kernel *const above[] = {esq_mve_above_1, esq_mve_above_2, esq_mve_above_3};
    static esq_mve_kernel *const below[] = {esq_mve_below_1, esq_mve_below_2, esq_mve_below_3};
    esq_mve_kernel *const *kernels = job->first_row > 0 ? above : below;
    if (job->blocks == params->blocks) {
        kernels = inner;
    }
    kernels[job->count - 1](job);
}

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
        table += params->table_row;
    }
}

static void rescale_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *part,
                         uint32_t first, const int32_t *sums) {
    int8_t *result = part->result;
    for (uint32_t c = 0; c < part->channels; c++) {
        const struct esq_rescaling *by = &params->rescaling[first + c];
        const uint32_t quad = c / ESQ_MVE_QUAD;
        const uint32_t lane = c % ESQ_MVE_QUAD;
        const int32_t bias = part->table[quad * params->table_row + lane];
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
    static esq_mve_kernel *const kernels[] = {esq_mve_sums_1, esq_mve_sums_2, esq_mve_sums_3};
    int32_t sums[ESQ_SUMS_CHANNELS * ESQ_MVE_MAX_PIXELS];
    int8_t *result = job->result;
    for (uint32_t first = 0; first < job->channels; first += ESQ_SUMS_CHANNELS) {
        const uint32_t left = job->channels - first;
        struct esq_mve_job part =
            esq_mve_part(params, job, first, left < ESQ_SUMS_CHANNELS ? left : ESQ_SUMS_CHANNELS);
        part.result = sums;
        kernels[job->count - 1](&part);
        part.result = result + first;
        end(params, &part, first, sums);
    }
}

void esq_mve_finish_any(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    finish_sums(params, job, requantize_part);
}

void esq_mve_finish_once(const struct esq_conv2d_mve *params, const struct esq_mve_job *job) {
    finish_sums(params, job, rescale_part);
}

#endif
