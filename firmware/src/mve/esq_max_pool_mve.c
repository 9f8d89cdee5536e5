/* MAX_POOL_2D on MVE. Mirror: edgesq/reference/pool.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_copy_mve.h"

/* How windows of three taps, what SqueezeNet has, lie in a row. */
struct threes {
    uint32_t tap_bytes;  /* from one tap to the next */
    uint32_t step_bytes; /* from one window to the next */
    uint32_t result_bytes;
    uint32_t channels;
};

/* Begins maxima with three taps each: 7 instructions for 16 channels. */
static void begin_threes(const struct threes *of, uint32_t windows, const int8_t *row,
                         int8_t *results) {
    for (; windows > 0; windows--) {
        const int8_t *tap = row;
        const int8_t *second = row + of->tap_bytes;
        const int8_t *third = second + of->tap_bytes;
        int8_t *result = results;
        __asm volatile("wlstp.8 lr, %4, 2f\n"
                       "1: vldrb.8 q0, [%0], #16\n\t"
                       "vldrb.8 q1, [%1], #16\n\t"
                       "vmax.s8 q0, q0, q1\n\t"
                       "vldrb.8 q2, [%2], #16\n\t"
                       "vmax.s8 q0, q0, q2\n\t"
                       "vstrb.8 q0, [%3], #16\n\t"
                       "letp lr, 1b\n"
                       "2:"
                       : "+r"(tap), "+r"(second), "+r"(third), "+r"(result)
                       : "r"(of->channels)
                       : "lr", "q0", "q1", "q2", "memory");
        row += of->step_bytes;
        results += of->result_bytes;
    }
}

/* Takes three taps into each maximum: 9 instructions for 16 channels. */
static void take_threes(const struct threes *of, uint32_t windows, const int8_t *row,
                        int8_t *results) {
    for (; windows > 0; windows--) {
        const int8_t *tap = row;
        const int8_t *second = row + of->tap_bytes;
        const int8_t *third = second + of->tap_bytes;
        int8_t *result = results;
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
                       : "r"(of->channels)
                       : "lr", "q0", "q1", "q2", "q3", "memory");
        row += of->step_bytes;
        results += of->result_bytes;
    }
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

static void take_taps(const struct esq_taps *taps, const struct esq_slot *input, const int8_t *row,
                      int8_t *result, int begin) {
    const int8_t *tap = row + taps->offset_bytes;
    uint32_t left = taps->count;
    if (begin) {
        esq_mve_copy(tap, input->channels, result);
        tap += input->pixel_bytes;
        left--;
    }
    for (; left > 0; left--) {
        take_one(tap, input->channels, result);
        tap += input->pixel_bytes;
    }
}

/* Windows [first, end), of any number of taps. */
static void take_some(const struct esq_pool *params, const struct esq_slot *input,
                      const int8_t *row, const struct esq_slot *output, int8_t *results, int begin,
                      uint32_t first, uint32_t end) {
    for (; first < end; first++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, first);
        take_taps(&taps, input, row, results + first * output->pixel_bytes, begin);
    }
}

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

static void take_row(const struct esq_pool *params, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *results, int begin) {
    const struct esq_window *window = &params->window;
    const uint32_t pad = window->pad_left;
    const uint32_t step = window->stride_w;
    const uint32_t width = output->width;
    uint32_t first = width; /* to end: windows of three taps in the image */
    uint32_t end = width;
    if (window->width == 3 && input->width >= 3) {
        first = at_most((pad + step - 1u) / step, width);
        end = at_most((input->width + pad - 3u) / step + 1u, width);
    }
    take_some(params, input, row, output, results, begin, 0, first);
    if (first < end) {
        const struct threes of = {input->pixel_bytes, step * input->pixel_bytes,
                                  output->pixel_bytes, output->channels};
        const int8_t *tap = row + (first * step - pad) * input->pixel_bytes;
        int8_t *result = results + first * output->pixel_bytes;
        if (begin) {
            begin_threes(&of, end - first, tap, result);
        } else {
            take_threes(&of, end - first, tap, result);
        }
    }
    take_some(params, input, row, output, results, begin, first < end ? end : first, width);
}

void esq_run_max_pool_mve(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}

#endif
