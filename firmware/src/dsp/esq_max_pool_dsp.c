/* MAX_POOL_2D on the DSP extension. Mirror: edgesq/reference/pool.py. */
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_lanes.h"

/* Greater of four int8 each: SSUB8 notes which byte of a is not less, SEL takes those. */
static inline uint32_t greater(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/* Takes `count` taps of one output pixel. Three taps, 13 instructions for four channels. */
static void take_taps(const int8_t *taps, uint32_t tap_bytes, uint32_t count, uint32_t channels,
                      int8_t *result, int begin) {
    for (uint32_t c = 0; c < channels; c += 4) {
        const int8_t *tap = taps + c;
        uint32_t maximum = esq_load_word(tap);
        if (count == 3) { /* what SqueezeNet has */
            maximum = greater(maximum, esq_load_word(tap + tap_bytes));
            maximum = greater(maximum, esq_load_word(tap + 2 * tap_bytes));
        } else {
            for (uint32_t left = count - 1; left > 0; left--) {
                tap += tap_bytes;
                maximum = greater(maximum, esq_load_word(tap));
            }
        }
        if (!begin) {
            maximum = greater(maximum, esq_load_word(result + c));
        }
        esq_store_word(result + c, maximum);
    }
}

static void take_row(const struct esq_pool *params, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *result, int begin) {
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        take_taps(row + taps.offset_bytes, input->pixel_bytes, taps.count, output->channels, result,
                  begin);
        result += output->pixel_bytes;
    }
}

void esq_run_max_pool_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}

#endif
