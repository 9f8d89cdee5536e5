/* What the examples say of an image: its class; of a model without classes its first output. */
#ifndef ESQ_ANSWER_H
#define ESQ_ANSWER_H

#include "sample_model.h"

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
