/* On this computer the process that loads this library computes: TensorFlow Lite Micro's own Python
 * interpreter. Mirror: edgesq/flash/tflm_board.py. */
#include "esq_whole.h"
#include "model_data.h"

/* Set before main runs: image int8 [H, W, C] to output int8 [ESQ_MODEL_OBSERVED_BYTES]; 0: done. */
extern int (*esq_host_invoke)(const int8_t *image, int8_t *output);
int (*esq_host_invoke)(const int8_t *image, int8_t *output);

static int8_t image[ESQ_MODEL_INPUT_BYTES];
static int8_t output[ESQ_MODEL_OBSERVED_BYTES];

int esq_whole_init(void *arena, uint32_t arena_bytes) {
    (void)arena;
    (void)arena_bytes;
    return esq_host_invoke == 0;
}

int8_t *esq_whole_input(void) { return image; }

int esq_whole_invoke(void) { return esq_host_invoke(image, output); }

const int8_t *esq_whole_output(void) { return output; }
