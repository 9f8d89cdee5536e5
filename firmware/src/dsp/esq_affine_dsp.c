/* ADD, SUB and MUL with a constant per channel, on the DSP extension.
 * Mirror: edgesq/kernels/affine.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_DSP)

/* Four channels `fours` times, at least once: esq_affine_kernel.S. Results saturate to int8. */
void esq_dsp_affine(const int8_t *values, const int32_t *table, int8_t *result, uint32_t fours);

/* Bits of a product that SMLAW drops, and those then left behind the point. */
#define ESQ_DROPPED_BITS 16
#define ESQ_LEFT_BITS 11

static int8_t one_value(const struct esq_affine *params, int8_t value, uint32_t channel) {
    const int32_t *line = params->table + channel / 4 * 8 + channel % 4;
    const int32_t raised = (int32_t)((int64_t)line[0] * value >> ESQ_DROPPED_BITS) + line[4];
    return esq_clamp(raised >> ESQ_LEFT_BITS, params->clamp_min, params->clamp_max);
}

static void affine_pixel(const struct esq_affine *params, const int8_t *values, uint32_t channels,
                         int8_t *result) {
    const int is_whole = params->clamp_min == INT8_MIN && params->clamp_max == INT8_MAX;
    const uint32_t fours = is_whole ? channels / 4 : 0;
    if (fours > 0) {
        esq_dsp_affine(values, params->table, result, fours);
    }
    for (uint32_t c = 4 * fours; c < channels; c++) {
        result[c] = one_value(params, values[c], c);
    }
}

void esq_run_affine_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *values = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            affine_pixel(op->params, values, op->output->channels, result);
            values += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}

#endif
