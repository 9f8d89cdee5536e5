/* MAX_POOL_2D as a running maximum, on cores without DSP. Mirror: edgesq/reference/pool.py.
 *
 * Four channels are compared in a word: less their highest bits, one subtraction compares all four.
 */
#include "../esq_windows.h"
#include "esq_scalar_values.h"
#include "esq_scalar_ops.h"

#define ESQ_SIGNS 0x80808080u
#define ESQ_ONES 0x01010101u

/* The greater of each pair of bytes. A byte's highest bit in `not_less` says that a is at least b:
 * where signs are equal because nothing was borrowed, else because b is the negative one. */
static inline uint32_t greater(uint32_t a, uint32_t b) {
    const uint32_t differs = a ^ b;
    const uint32_t unborrowed = (a | ESQ_SIGNS) - (b & ~ESQ_SIGNS);
    const uint32_t not_less = (b & differs) | (unborrowed & ~differs);
    const uint32_t ones = (not_less >> 7) & ESQ_ONES;
    return b ^ (differs & ((ones << 8) - ones));
}

/* Channels [0, channels), a multiple of 4, of one output pixel; all word aligned. */
static void take_words(const int8_t *taps, uint32_t tap_bytes, uint32_t count, uint32_t channels,
                       int8_t *result, int begin) {
    for (uint32_t c = 0; c < channels; c += 4) {
        const int8_t *tap = taps + c;
        uint32_t maximum = esq_aligned_word(begin ? tap : result + c);
        for (uint32_t left = count; left > 0; left--) {
            maximum = greater(maximum, esq_aligned_word(tap));
            tap += tap_bytes;
        }
        esq_put_aligned_word(result + c, maximum);
    }
}

static void take_values(const int8_t *taps, uint32_t tap_bytes, uint32_t count, uint32_t channels,
                        int8_t *result, int begin) {
    for (uint32_t c = 0; c < channels; c++) {
        const int8_t *tap = taps + c;
        int8_t maximum = begin ? *tap : result[c];
        for (uint32_t left = count; left > 0; left--) {
            maximum = *tap > maximum ? *tap : maximum;
            tap += tap_bytes;
        }
        result[c] = maximum;
    }
}

static void take_row(const struct esq_pool *params, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *result, int begin) {
    const int is_aligned = esq_is_word_aligned(row) && esq_is_word_aligned(result) &&
                           (input->pixel_bytes | output->pixel_bytes) % 4u == 0;
    const uint32_t by_words = is_aligned ? output->channels & ~3u : 0;
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        const int8_t *first = row + taps.offset_bytes;
        take_words(first, input->pixel_bytes, taps.count, by_words, result, begin);
        take_values(first + by_words, input->pixel_bytes, taps.count, output->channels - by_words,
                    result + by_words, begin);
        result += output->pixel_bytes;
    }
}

void esq_run_max_pool_scalar(const struct esq_op *op, int8_t *arena,
                             struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}
