/* Operators that keep state from one image to the next, in the arena: at op->sums_offset_bytes,
 * what struct esq_state says is reset. */
#ifndef ESQ_SEQUENCE_H
#define ESQ_SEQUENCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A filter in time over features of the input. F features, of which `memory` values are kept, the
 * newest last; `rank` features are added up to one output.
 *
 * real = scale * (q - zero_point); multiplier Q0.31; shift in [-31, 30], left if positive. */
struct esq_svdf {
    const int8_t *features; /* [F, inputs] */
    const int16_t *times;   /* [F, memory] */
    const int32_t *bias;    /* [F / rank] */
    int32_t input_multiplier;
    int32_t kept_multiplier;
    int8_t input_shift;
    int8_t kept_shift; /* not above 0 */
    int16_t input_zp;
    int16_t output_zp;
    uint16_t memory;
    uint16_t rank;
};

#ifdef __cplusplus
}
#endif

#endif
