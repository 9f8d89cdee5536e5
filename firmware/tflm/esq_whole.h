/* A runtime that takes the whole image at once, behind the engine in engine.c. */
#ifndef ESQ_WHOLE_H
#define ESQ_WHOLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares the runtime in `arena`: 0, or another number where it cannot run the model in it. */
int esq_whole_init(void *arena, uint32_t arena_bytes);

/* Where the image goes, int8 [H, W, C]; the same place for every image. */
int8_t *esq_whole_input(void);

/* Computes the image: 0, or another number where the runtime failed. */
int esq_whole_invoke(void);

/* The output of the image computed last, int8 [ESQ_MODEL_OBSERVED_BYTES]. */
const int8_t *esq_whole_output(void);

#ifdef __cplusplus
}
#endif

#endif
