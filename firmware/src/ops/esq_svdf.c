/* SVDF, portable. Mirror: edgesq/reference/sequence.py.
 *
 * Kept values move by one place in the same pass that weights them: a load and a store each. Sums
 * over time are taken modulo 2^32, as the reference's are. */
#include "../esq_arithmetic.h"
#include "esq_ops.h"

static int32_t feature_of(const struct esq_svdf *svdf, const int8_t *input, uint32_t inputs,
                          uint32_t feature) {
    const int8_t *weights = svdf->features + feature * inputs;
    int32_t sum = 0;
    for (uint32_t k = 0; k < inputs; k++) {
        sum += weights[k] * (input[k] - svdf->input_zp);
    }
    return esq_requantize(sum, svdf->input_multiplier, svdf->input_shift);
}

/* Moves a feature's newest value in; returns its sum over time. */
static uint32_t move_in(const struct esq_svdf *svdf, int16_t *kept, const int16_t *times,
                        int32_t newest) {
    const uint32_t last = svdf->memory - 1u;
    uint32_t sum = 0;
    for (uint32_t k = 0; k < last; k++) {
        kept[k] = kept[k + 1];
        sum += (uint32_t)(kept[k] * times[k]);
    }
    kept[last] = esq_saturate_to_16(newest);
    return sum + (uint32_t)(kept[last] * times[last]);
}

void esq_run_svdf(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_svdf *svdf = op->params;
    const int8_t *input = esq_row(arena, op->input[0], 0);
    const uint32_t inputs = op->input[0]->channels;
    int8_t *result = esq_row(arena, op->output, 0);
    void *place = arena + op->sums_offset_bytes;
    int16_t *kept = place;
    const int16_t *times = svdf->times;
    uint32_t feature = 0;
    for (uint32_t unit = 0; unit < op->output->channels; unit++) {
        uint32_t sum = (uint32_t)svdf->bias[unit];
        for (const uint32_t end = feature + svdf->rank; feature < end; feature++) {
            sum += move_in(svdf, kept, times, feature_of(svdf, input, inputs, feature));
            kept += svdf->memory;
            times += svdf->memory;
        }
        const int32_t level = esq_requantize((int32_t)sum, svdf->kept_multiplier, svdf->kept_shift);
        result[unit] = esq_clamp(level + svdf->output_zp, INT8_MIN, INT8_MAX);
    }
    progress->out_row++;
}
