/* Rubbish in all of an arena but the state that is kept from image to image. */
#ifndef RUBBISH_H
#define RUBBISH_H

#include <stdint.h>
#include <string.h>

#include "edgesq.h"
#include "esq_model.h"

#define RUBBISH 0x5a

static inline int is_state(const struct esq_model *model, uint32_t byte) {
    for (uint32_t k = 0; k < model->state_count; k++) {
        const struct esq_state *state = &model->states[k];
        if (byte >= state->offset_bytes && byte - state->offset_bytes < state->bytes) {
            return 1;
        }
    }
    return 0;
}

static inline void fill_with_rubbish(const struct esq_engine *engine) {
    const struct esq_model *model = engine->model;
    if (model->state_count == 0) {
        memset(engine->arena, RUBBISH, model->arena_bytes);
        return;
    }
    for (uint32_t byte = 0; byte < model->arena_bytes; byte++) {
        if (!is_state(model, byte)) {
            engine->arena[byte] = RUBBISH;
        }
    }
}

#endif
