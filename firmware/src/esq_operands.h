/* Operands of what is computed value by value. */
#ifndef ESQ_OPERANDS_H
#define ESQ_OPERANDS_H

#include "esq_windows.h"

/* An operand along one row of the output. */
struct esq_operand {
    const int8_t *pixel;  /* its first one */
    uint32_t pixel_bytes; /* to the next one; 0: one pixel meets them all */
};

/* Operands 0 and 1 of an output row. */
struct esq_operands {
    struct esq_operand at[2];
};

static inline struct esq_operands esq_operands_of(const struct esq_op *op,
                                                  const int8_t *const *constant, int8_t *arena,
                                                  uint32_t row) {
    struct esq_operands operands;
    const struct esq_slot *const *next = op->input;
    for (uint32_t k = 0; k < 2; k++) {
        if (constant[k]) {
            operands.at[k] = (struct esq_operand){constant[k], 0};
            continue;
        }
        const struct esq_slot *slot = *next++;
        const int one_pixel = slot->height == 1 && slot->width == 1;
        operands.at[k] = (struct esq_operand){esq_row(arena, slot, one_pixel ? 0 : row),
                                              one_pixel ? 0 : slot->pixel_bytes};
    }
    return operands;
}

/* Moves both on by one pixel. */
static inline void esq_operands_step(struct esq_operands *operands) {
    operands->at[0].pixel += operands->at[0].pixel_bytes;
    operands->at[1].pixel += operands->at[1].pixel_bytes;
}

#endif
