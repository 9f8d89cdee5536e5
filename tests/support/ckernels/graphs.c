/* Runs many networks, each over its own images, and writes what each observes.
 *
 * In: for each of `graphs`, int8 [images, height, width, channels], or what its inputs bring row by
 * row. Out: per graph and image, every observed tensor in order. With an argument, only the graph
 * of that number. Every arena is a block of its own with not a byte to spare, filled with rubbish
 * before each image.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgesq.h"
#include "esq_model.h"
#include "rubbish.h"
#include "graphs.h"

#ifndef GRAPH_STEPS /* images of a sequence, before each of which state is reset */
#define GRAPH_STEPS GRAPH_IMAGES
#endif

/* 1: an image was run; 0: none is left. */
static int run(struct esq_engine *engine) {
    enum esq_status status = ESQ_MORE;
    fill_with_rubbish(engine);
    esq_start(engine);
    while (status != ESQ_DONE) {
        status = esq_step(engine);
        if (status == ESQ_NEEDS_ROW) {
            const size_t row_bytes = esq_input_row_bytes(engine);
            if (fread(esq_input_row(engine), 1, row_bytes, stdin) != row_bytes) {
                return 0;
            }
            status = esq_push_row(engine);
        }
    }
    return 1;
}

static int write_observed(const struct esq_engine *engine) {
    uint32_t bytes;
    const int8_t *values;
    for (uint32_t index = 0; (values = esq_observed(engine, index, &bytes)); index++) {
        if (fwrite(values, 1, bytes, stdout) != bytes) {
            return 0;
        }
    }
    return 1;
}

static int run_graph(const struct esq_model *model) {
    struct esq_engine engine;
    void *arena = aligned_alloc(16, model->arena_bytes);
    int good = esq_init(&engine, model, arena, model->arena_bytes) == ESQ_DONE;
    for (uint32_t image = 0; good && image < GRAPH_IMAGES; image++) {
        if (image % GRAPH_STEPS == 0) {
            esq_reset_state(&engine);
        }
        good = run(&engine) && write_observed(&engine);
    }
    free(arena);
    return good;
}

int main(int count, char **arguments) {
    const uint32_t first = count > 1 ? (uint32_t)atoi(arguments[1]) : 0;
    const uint32_t end = count > 1 ? first + 1 : GRAPH_COUNT;
    for (uint32_t index = first; index < end; index++) {
        if (!run_graph(graphs[index])) {
            return 1;
        }
    }
    return 0;
}
