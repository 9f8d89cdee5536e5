/* A grouped convolution as one convolution per group, on its own channels of the same pixels.
 * Mirror: edgesq/kernels/groups.py.
 */
#include "esq_ops.h"

void esq_run_conv2d_groups(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_groups *groups = op->params;
    struct esq_slot input = *op->input[0];
    struct esq_slot output = *op->output;
    struct esq_op one = *op;
    const struct esq_progress begun = *progress;
    const uint8_t *params = groups->convs;
    input.channels = (uint16_t)(input.channels / groups->count);
    output.channels = (uint16_t)(output.channels / groups->count);
    one.input[0] = &input;
    one.output = &output;
    for (uint32_t group = 0; group < groups->count; group++) {
        one.params = params;
        *progress = begun;
        groups->run(&one, arena, progress);
        params += groups->conv_bytes;
        input.offset_bytes += input.channels;
        output.offset_bytes += output.channels;
    }
}
