/* MAX_POOL_2D on MVE. Mirror: edgesq/reference/pool.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_copy_mve.h"

/* Takes three taps into a maximum, what SqueezeNet has: 9 instructions for 16 channels. */
static void take_three(const int8_t *tap, uint32_t tap_bytes, uint32_t channels, int8_t *result) {
    const int8_t *second = tap + tap_bytes;
    const int8_t *third = second + tap_bytes;
    __asm volatile("wlstp.8 lr, %4, 2f\n"
                   "1: vldrb.8 q0, [%0], #16\n\t"
                   "vldrb.8 q1, [%1], #16\n\t"
                   "vmax.s8 q0, q0, q1\n\t"
                   "vldrb.8 q2, [%2], #16\n\t"
                   "vmax.s8 q0, q0, q2\n\t"
                   "vldrb.8 q3, [%3]\n\t"
                   "vmax.s8 q0, q0, q3\n\t"
                   "vstrb.8 q0, [%3], #16\n\t"
                   "letp lr, 1b\n"
                   "2:"
                   : "+r"(tap), "+r"(second), "+r"(third), "+r"(result)
                   : "r"(channels)
                   : "lr", "q0", "q1", "q2", "q3", "memory");
}

static void take_one(const int8_t *tap, uint32_t channels, int8_t *result) {
    __asm volatile("wlstp.8 lr, %2, 2f\n"
                   "1: vldrb.8 q0, [%0], #16\n\t"
                   "vldrb.8 q1, [%1]\n\t"
                   "vmax.s8 q0, q0, q1\n\t"
                   "vstrb.8 q0, [%1], #16\n\t"
                   "letp lr, 1b\n"
                   "2:"
                   : "+r"(tap), "+r"(result)
                   : "r"(channels)
                   : "lr", "q0", "q1", "memory");
}

static void take_row(const struct esq_pool *params, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *result, int begin) {
    const uint32_t channels = output->channels;
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        const int8_t *tap = row + taps.offset_bytes;
        if (begin) {
            esq_mve_copy(tap, channels, result);
        }
        if (taps.count == 3) {
            take_three(tap, input->pixel_bytes, channels, result);
        } else {
            for (uint32_t left = taps.count; left > 0; left--) {
                take_one(tap, channels, result);
                tap += input->pixel_bytes;
            }
        }
        result += output->pixel_bytes;
    }
}

void esq_run_max_pool_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}

#endif
