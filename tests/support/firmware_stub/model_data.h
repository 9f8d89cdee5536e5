/* A pretended network, to test the link without a real one: see engine.c. */
#ifndef MODEL_DATA_H
#define MODEL_DATA_H

#include "edgesq.h"

extern const struct esq_model esq_model;

#define ESQ_MODEL esq_model
#define ESQ_MODEL_ARENA_BYTES 2048
#ifndef ESQ_MODEL_INPUT_HEIGHT
#define ESQ_MODEL_INPUT_HEIGHT 20
#endif
#ifndef ESQ_MODEL_INPUT_WIDTH
#define ESQ_MODEL_INPUT_WIDTH 25
#endif
#ifndef ESQ_MODEL_INPUT_CHANNELS
#define ESQ_MODEL_INPUT_CHANNELS 3
#endif
#define ESQ_MODEL_INPUT_SHAPES                                                                     \
    {                                                                                              \
        {                                                                                          \
            ESQ_MODEL_INPUT_HEIGHT, ESQ_MODEL_INPUT_WIDTH, ESQ_MODEL_INPUT_CHANNELS                \
        }                                                                                          \
    }
#define ESQ_MODEL_INPUT_ROWS ESQ_MODEL_INPUT_HEIGHT
#ifndef ESQ_MODEL_OP_COUNT
#define ESQ_MODEL_OP_COUNT 5u
#endif
#define ESQ_MODEL_OBSERVED_BYTES 1010u
#define ESQ_MODEL_SHA256_BYTES                                                                     \
    {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,                               \
     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
#define ESQ_MODEL_KERNELS "portable"

#endif
