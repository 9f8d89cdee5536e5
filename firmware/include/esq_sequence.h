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

/* A sum times a factor: multiplier Q0.31; shift in [-31, 30], left if positive. */
struct esq_factor {
    int32_t multiplier;
    int8_t shift;
};

/* One of the gates of an LSTM of U units: sums of the input, and of what was put out last. */
struct esq_gate {
    const int8_t *weights;         /* [U, inputs] */
    const int8_t *recurrent;       /* [U, U] */
    const int32_t *bias;           /* [U], with what the input's zero point adds */
    const int32_t *recurrent_bias; /* [U], what the zero point of what was put out adds */
    struct esq_factor of_input;    /* to Q3.12 */
    struct esq_factor of_recurrent;
};

/* Whose results an LSTM's gates are. */
enum esq_lstm_gate { ESQ_GATE_INPUT, ESQ_GATE_FORGET, ESQ_GATE_CELL, ESQ_GATE_OUTPUT, ESQ_GATES };

/* A long short-term memory: each pixel of its row is a step of time. */
struct esq_lstm {
    struct esq_gate gates[ESQ_GATES];
    struct esq_factor product; /* of two values in Q0.15, to the output; its shift is not above 0 */
    int16_t clip;              /* largest magnitude of the cell; 0: any */
    int16_t output_zp;
    uint8_t cell_bits; /* of the cell before the point, 0 to 6 */
};

#ifdef __cplusplus
}
#endif

#endif
