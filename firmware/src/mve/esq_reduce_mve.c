/* Running sums over a whole image on MVE. Mirror: edgesq/reference/reduce.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_mve.h"

/* Four channels in 4 instructions, the last ones by predication. */
void esq_mve_add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                        uint32_t channels, int32_t *sums) {
    for (uint32_t x = 0; x < pixels; x++) {
        const int8_t *value = pixel + x * pixel_bytes;
        int32_t *sum = sums;
        __asm volatile("wlstp.32 lr, %2, 2f\n"
                       "1: vldrb.s32 q0, [%0], #4\n\t"
                       "vldrw.u32 q1, [%1]\n\t"
                       "vadd.i32 q0, q0, q1\n\t"
                       "vstrw.32 q0, [%1], #16\n\t"
                       "letp lr, 1b\n"
                       "2:"
                       : "+l"(value), "+r"(sum)
                       : "r"(channels)
                       : "lr", "q0", "q1", "memory");
    }
}

void esq_run_reduce_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    int32_t *sums = esq_reduce_begin(op, input->channels, arena, progress);
    esq_mve_add_pixels(esq_row(arena, input, progress->in_row), input->pixel_bytes, input->width,
                       input->channels, sums);
    esq_reduce_end(op, op->params, input->height, arena, progress);
}

#endif
