/* Tables of values on MVE, 16 values at a time: a gather reads the table.
 * Mirror: edgesq/lookup.py. */
#include "../esq_lookup_runs.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

static void look_up(const int8_t *table, const int8_t *values, uint32_t count, int8_t *result) {
    for (uint32_t i = 0; i < count; i += 16) {
        const mve_pred16_t there = vctp8q(count - i);
        const uint8x16_t index = vreinterpretq_u8_s8(vldrbq_z_s8(values + i, there));
        vstrbq_p_s8(result + i, vldrbq_gather_offset_z_s8(table, index, there), there);
    }
}

void esq_run_lookup_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_lookup_runs(op, arena, progress, look_up);
}

#endif
