/* Runs two networks of one program over the same bytes, their engines taking turns step by step.
 *
 * In: int8 [n], as many as the larger input has. Out: what the first observes, then the second.
 */
#include <stdio.h>

#include "edgesq.h"
#include "first_model.h"
#include "second_model.h"

#define MAX_BYTES                                                                                  \
    (FIRST_MODEL_INPUT_BYTES > SECOND_MODEL_INPUT_BYTES ? FIRST_MODEL_INPUT_BYTES                  \
                                                        : SECOND_MODEL_INPUT_BYTES)

static _Alignas(16) int8_t first_arena[FIRST_MODEL_ARENA_BYTES];
static _Alignas(16) int8_t second_arena[SECOND_MODEL_ARENA_BYTES];
static int8_t image[MAX_BYTES];

static enum esq_status step(struct esq_engine *engine) {
    const enum esq_status status = esq_step(engine);
    if (status != ESQ_NEEDS_ROW) {
        return status;
    }
    const struct esq_slot *input = engine->model->input;
    const uint32_t row_bytes = (uint32_t)input->width * input->channels;
    const int8_t *from = image + engine->image_row * row_bytes;
    int8_t *to = esq_input_row(engine);
    for (uint32_t i = 0; i < row_bytes; i++) {
        to[i] = from[i];
    }
    return esq_push_row(engine);
}

static int write_observed(const struct esq_engine *engine) {
    uint32_t bytes;
    const int8_t *values;
    for (uint32_t index = 0; (values = esq_observed(engine, index, &bytes)); index++) {
        if (fwrite(values, 1, bytes, stdout) != bytes) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    struct esq_engine first;
    struct esq_engine second;
    if (esq_init(&first, &first_model, first_arena, sizeof first_arena) != ESQ_DONE ||
        esq_init(&second, &second_model, second_arena, sizeof second_arena) != ESQ_DONE ||
        fread(image, 1, sizeof image, stdin) != sizeof image) {
        return 1;
    }
    enum esq_status one = ESQ_MORE;
    enum esq_status other = ESQ_MORE;
    while (one == ESQ_MORE || other == ESQ_MORE) {
        one = one == ESQ_MORE ? step(&first) : one;
        other = other == ESQ_MORE ? step(&second) : other;
    }
    return one != ESQ_DONE || other != ESQ_DONE || write_observed(&first) ||
           write_observed(&second);
}
