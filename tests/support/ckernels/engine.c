/* The engine's answers to wrong calls, on a generated model; exit code 0: all are as promised. */
#include <stdlib.h>
#include <string.h>

#include "edgesq.h"
#include "esq_model.h"
#include "model_data.h"

static _Alignas(16) int8_t arena[ESQ_MODEL_ARENA_BYTES + 16];

static int refuses_bad_arenas(struct esq_engine *engine) {
    return esq_init(engine, &ESQ_MODEL, arena, ESQ_MODEL_ARENA_BYTES - 1) == ESQ_BAD_ARENA &&
           esq_init(engine, &ESQ_MODEL, arena + 1, ESQ_MODEL_ARENA_BYTES) == ESQ_BAD_ARENA &&
           esq_init(engine, &ESQ_MODEL, arena + 8, ESQ_MODEL_ARENA_BYTES) == ESQ_BAD_ARENA &&
           esq_init(engine, &ESQ_MODEL, arena + 16, ESQ_MODEL_ARENA_BYTES) == ESQ_DONE;
}

/* Rows pushed during one image of a single grey; the output goes to `output`. */
static uint32_t run(struct esq_engine *engine, int8_t grey, int8_t *output) {
    uint32_t rows = 0;
    uint32_t bytes = 0;
    esq_start(engine);
    enum esq_status status = ESQ_MORE;
    while (status == ESQ_MORE) {
        status = esq_step(engine);
        if (status == ESQ_NEEDS_ROW) {
            /* Asking again changes nothing. */
            if (esq_step(engine) != ESQ_NEEDS_ROW) {
                return 0;
            }
            memset(esq_input_row(engine), grey, ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS);
            status = esq_push_row(engine);
            if (status != ESQ_MORE || esq_push_row(engine) != ESQ_BAD_CALL) {
                return 0;
            }
            rows++;
        }
    }
    const int8_t *values = esq_observed(engine, 0, &bytes);
    memcpy(output, values, bytes);
    return status == ESQ_DONE ? rows : 0;
}

int main(void) {
    struct esq_engine engine;
    int8_t first[ESQ_MODEL_OBSERVED_BYTES];
    int8_t other[ESQ_MODEL_OBSERVED_BYTES];
    int8_t again[ESQ_MODEL_OBSERVED_BYTES];
    uint32_t bytes;
    memset(first, 0, sizeof first);
    memset(again, 0, sizeof again);
    if (!refuses_bad_arenas(&engine)) {
        return 1;
    }
    if (esq_push_row(&engine) != ESQ_BAD_CALL) {
        return 2;
    }
    if (run(&engine, 20, first) != ESQ_MODEL_INPUT_HEIGHT || run(&engine, -90, other) == 0) {
        return 3;
    }
    /* Done stays done, and an image cut short leaves nothing behind. */
    if (esq_step(&engine) != ESQ_DONE || esq_push_row(&engine) != ESQ_BAD_CALL) {
        return 4;
    }
    esq_start(&engine);
    if (esq_step(&engine) != ESQ_NEEDS_ROW || run(&engine, 20, again) != ESQ_MODEL_INPUT_HEIGHT) {
        return 5;
    }
    if (memcmp(first, again, sizeof first) != 0) {
        return 6;
    }
    if (esq_observed(&engine, MY_MODEL_OBSERVED_COUNT, &bytes) != 0) {
        return 7;
    }
    return 0;
}
