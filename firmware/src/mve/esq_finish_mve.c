/* From the sums of a convolution on MVE to int8. Mirror: edgesq/codegen/pack_mve.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#include "esq_mve.h"

/* Quads whose plain sums are held at a time, on the stack. */
#define SUMS_QUADS 4u
#define QUAD 4u

/* The begun job for channels [first, first + channels). */
static struct esq_mve_job job_for(const struct esq_conv2d_mve *params,
                                  const struct esq_mve_job *begun, uint32_t first,
                                  uint32_t channels, uint32_t table_row) {
    struct esq_mve_job job = *begun;
    const uint32_t quad = first / QUAD;
    job.weights += quad * params->blocks * QUAD * ESQ_MVE_BLOCK;
    job.table = params->table + quad * table_row;
    job.table_end = job.table + (channels + QUAD - 1u) / QUAD * table_row;
    return job;
}

void esq_mve_finish_relu(const struct esq_conv2d_mve *params, const struct esq_mve_job *begun,
                         const struct esq_block *block) {
    static esq_mve_kernel *const kernels[] = {esq_mve_relu_1, esq_mve_relu_2, esq_mve_relu_3};
    struct esq_mve_job job =
        job_for(params, begun, block->first, block->channels, ESQ_MVE_TABLE_ROW);
    job.result = block->result;
    job.pixel_bytes = block->pixel_bytes;
    kernels[block->pixels - 1](&job);
}

void esq_mve_finish_edges(const struct esq_conv2d_mve *params, const struct esq_mve_job *begun,
                          const struct esq_block *block) {
    static esq_mve_kernel *const inner[] = {esq_mve_inner_1, esq_mve_inner_2, esq_mve_inner_3};
    static esq_mve_kernel *const above[] = {esq_mve_above_1, esq_mve_above_2, esq_mve_above_3};
    static esq_mve_kernel *const below[] = {esq_mve_below_1, esq_mve_below_2, esq_mve_below_3};
    esq_mve_kernel *const *kernels = begun->first_row > 0 ? above : below;
    if (begun->blocks == params->blocks) {
        kernels = inner;
    }
    struct esq_mve_job job =
        job_for(params, begun, block->first, block->channels, ESQ_MVE_EDGE_TABLE_ROW);
    job.result = block->result;
    job.pixel_bytes = block->pixel_bytes;
    kernels[block->pixels - 1](&job);
}

/* esq_requantize and clamp of four channels. The sign bit added before the shift makes halves round
 * away from zero; without a shift to the right nothing is added. */
static int32x4_t requantize(const struct esq_conv2d_mve *params, int32x4_t sums,
                            const int32_t *table) {
    const int32x4_t minus_right = vldrwq_s32(table + 3 * QUAD);
    int32x4_t x = vaddq_s32(sums, vldrwq_s32(table));
    x = vshlq_s32(x, vldrwq_s32(table + 2 * QUAD));
    x = vqrdmulhq_s32(x, vldrwq_s32(table + QUAD));
    x = vqaddq_s32(x, vshrq_n_s32(vandq_s32(x, minus_right), 31));
    x = vrshlq_s32(x, minus_right);
    x = vqaddq_n_s32(x, params->output_zp);
    x = vmaxq_s32(x, vdupq_n_s32(params->clamp_min));
    return vminq_s32(x, vdupq_n_s32(params->clamp_max));
}

static void requantize_part(const struct esq_conv2d_mve *params, const int32_t *sums,
                            const int32_t *table, const struct esq_block *part) {
    for (uint32_t c = 0; c < part->channels; c += QUAD) {
        const mve_pred16_t there = vctp32q(part->channels - c);
        for (uint32_t pixel = 0; pixel < part->pixels; pixel++) {
            const int32x4_t values = requantize(params, vldrwq_s32(sums), table);
            vstrbq_p_s32(part->result + pixel * part->pixel_bytes + c, values, there);
            sums += QUAD;
        }
        table += ESQ_MVE_TABLE_ROW;
    }
}

void esq_mve_finish_any(const struct esq_conv2d_mve *params, const struct esq_mve_job *begun,
                        const struct esq_block *block) {
    static esq_mve_kernel *const kernels[] = {esq_mve_sums_1, esq_mve_sums_2, esq_mve_sums_3};
    int32_t sums[SUMS_QUADS * ESQ_MVE_MOST_PIXELS * QUAD];
    struct esq_block part = *block;
    for (uint32_t left = block->channels; left > 0; left -= part.channels) {
        part.channels = left < SUMS_QUADS * QUAD ? left : SUMS_QUADS * QUAD;
        struct esq_mve_job job =
            job_for(params, begun, part.first, part.channels, ESQ_MVE_TABLE_ROW);
        job.result = sums;
        kernels[block->pixels - 1](&job);
        requantize_part(params, sums, job.table, &part);
        part.first += part.channels;
        part.result += part.channels;
    }
}

#endif
