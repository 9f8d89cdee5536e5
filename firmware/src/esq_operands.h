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
                                                  const struct esq_constant *const *constant,
                                                  int8_t *arena, uint32_t row) {
    struct esq_operands operands;
    const struct esq_slot *const *next = op->input;
    for (uint32_t k = 0; k < 2; k++) {
        if (constant[k]) {
            operands.at[k] = (struct esq_operand){
                constant[k]->values + row * constant[k]->row_bytes, constant[k]->pixel_bytes};
            continue;
        }
        const struct esq_slot *slot = *next++;
        const int one_pixel = slot->height == 1 && slot->width == 1;
        operands.at[k] = (struct esq_operand){esq_row(arena, slot, one_pixel ? 0 : row),
                                              one_pixel ? 0 : slot->pixel_bytes};
    }
    return operands;
}

/* Takes `count` values of both operands to as many results, which may lie in an operand's place. */
typedef void esq_values_fn(const void *params, const int8_t *first, const int8_t *second,
                           uint32_t count, int8_t *result);

/* Takes the next band, pixel by pixel, or row by row where nothing lies between the pixels. */
static inline void esq_operands_band(const struct esq_op *op,
                                     const struct esq_constant *const *constant, int8_t *arena,
                                     struct esq_progress *progress, esq_values_fn *take) {
    const struct esq_slot *output = op->output;
    const uint32_t channels = output->channels;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        struct esq_operands from = esq_operands_of(op, constant, arena, progress->out_row);
        int8_t *result = esq_row(arena, output, progress->out_row);
        const int is_gapless = from.at[0].pixel_bytes == channels &&
                               from.at[1].pixel_bytes == channels &&
                               output->pixel_bytes == channels;
        const uint32_t runs = is_gapless ? 1 : output->width;
        const uint32_t count = is_gapless ? output->width * channels : channels;
        for (uint32_t k = 0; k < runs; k++) {
            take(op->params, from.at[0].pixel, from.at[1].pixel, count, result);
            from.at[0].pixel += from.at[0].pixel_bytes;
            from.at[1].pixel += from.at[1].pixel_bytes;
            result += output->pixel_bytes;
        }
    }
}

#endif
