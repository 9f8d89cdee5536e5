/* TensorFlow Lite's rounding of an average. */
#ifndef ESQ_AVERAGE_H
#define ESQ_AVERAGE_H

#include <stdint.h>

/* sum / count, halves away from zero; count > 0. */
static inline int32_t esq_rounded_mean(int32_t sum, int32_t count) {
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* sum / count, halves up, as TensorFlow Lite rounds uint8; sum / count >= -128; count > 0. */
static inline int32_t esq_rounded_up_mean(int32_t sum, int32_t count) {
    return (sum + 128 * count + count / 2) / count - 128;
}

#endif
