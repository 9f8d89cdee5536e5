/* Operators that run fused: what lies between them is never held as rows of a map. */
#ifndef ESQ_FUSED_H
#define ESQ_FUSED_H

#include "esq_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fused operators, at most, and one less than their tensors. */
#define ESQ_MAX_STAGES 8

/* One of several operators that are fused. */
struct esq_stage {
    /* As it would run alone, but what is fused begins and ends in: slots of the shape of whole
     * maps, whose rings hold some rows of some columns. */
    struct esq_op op;
    const void *inside; /* params of strips that begin inside the map: no padding on the left */
    struct esq_window window;
    uint8_t source; /* number of the tensor that it reads; 0 is the input */
    uint8_t result; /* of that which it writes; the last one is the output */
};

/* Operators that are fused. A band of rows is made strip by strip, through all of them.
 *
 * Where it is running, the last but one is a max pool that keeps one row of maxima from step to
 * step, and the last one is a 1x1 convolution, which alone reads them. A step takes one row of the
 * pool's input. Where a window ends with it, the maxima are read, strip by strip, before the next
 * window begins in their place. */
struct esq_fused {
    const struct esq_stage *stages; /* [stage_count], in topological order */
    const struct esq_slot *tensors; /* [tensor_count]; the first and the last are not read */
    uint16_t columns;               /* of the output, that a strip makes */
    uint8_t stage_count;
    uint8_t tensor_count;
    uint8_t is_running;
};

#ifdef __cplusplus
}
#endif

#endif
