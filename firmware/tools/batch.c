/* Runs a model over images from standard input and writes its observed tensors to standard output.
 *
 * In: int8 [n, height, width, channels], of several inputs the rows as they are taken. Out: per
 * image, every observed tensor in order. For the host only: the parity table and the tests compare
 * the C runtime with the other oracles through it.
 */
#include <stdio.h>

#include "edgesq.h"
#include "model_data.h"

static _Alignas(16) int8_t arena[ESQ_MODEL_ARENA_BYTES];

/* 1: an image was run; 0: no image is left, or the engine failed. */
static int run_image(struct esq_engine *engine) {
    enum esq_status status = ESQ_MORE;
    esq_reset_state(engine); /* each image by itself, as other forms of the model take it */
    esq_start(engine);
    while (status == ESQ_MORE) {
        status = esq_step(engine);
        if (status == ESQ_NEEDS_ROW) {
            const uint32_t row_bytes = esq_input_row_bytes(engine);
            if (fread(esq_input_row(engine), 1, row_bytes, stdin) != row_bytes) {
                return 0;
            }
            status = esq_push_row(engine);
        }
    }
    return status == ESQ_DONE;
}

int main(void) {
    struct esq_engine engine;
    if (esq_init(&engine, &ESQ_MODEL, arena, sizeof arena) != ESQ_DONE) {
        return 1;
    }
    while (run_image(&engine)) {
        uint32_t bytes;
        const int8_t *values;
        for (uint32_t index = 0; (values = esq_observed(&engine, index, &bytes)); index++) {
            if (fwrite(values, 1, bytes, stdout) != bytes) {
                return 1;
            }
        }
    }
    return 0;
}
