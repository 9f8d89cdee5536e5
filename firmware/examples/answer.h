/* What the examples give beside an image, and say of it: its class; of a model without classes its
 * first output. */
#ifndef ESQ_ANSWER_H
#define ESQ_ANSWER_H

#include "sample_model.h"

/* Gives zeros for each input beside the image: put yours in their place. */
static inline void esq_give_others(void) {
#ifdef SAMPLE_MODEL_INPUT_1_COUNT
    static const uint16_t shapes[][3] = SAMPLE_MODEL_INPUT_SHAPES;
    static const int8_t zeros[SAMPLE_MODEL_INPUT_BYTES] = {0};
    for (uint32_t input = 0; input < sizeof shapes / sizeof *shapes; input++) {
        sample_set_input(input, zeros);
    }
#endif
}

#ifdef SAMPLE_MODEL_CLASS_COUNT
#define ESQ_ANSWER_IS "class"
static inline int32_t esq_answer(void) { return sample_class(); }
#else
#define ESQ_ANSWER_IS "thousandths"
static inline int32_t esq_answer(void) {
    return (int32_t)(1000.0f * sample_dequantize(sample_output()[0]));
}
#endif

#endif
