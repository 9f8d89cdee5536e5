/* CONV_2D in groups on MVE. Mirror: edgesq/kernels/groups.py. */
#include "../esq_groups.h"

#if defined(__ARM_FEATURE_MVE)

void esq_run_grouped_conv2d_mve(const struct esq_op *op, int8_t *arena,
                                struct esq_progress *progress) {
    const struct esq_conv2d_groups *params = op->params;
    const struct esq_groups groups = {esq_run_conv2d_mve, params->convs,
                                      sizeof(struct esq_conv2d_mve), params->groups};
    esq_run_groups(op, arena, progress, groups);
}

#endif
