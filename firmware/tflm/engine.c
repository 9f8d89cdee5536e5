/* The engine of edgesq.h around a runtime that takes the whole image: gathers rows, then one step.
 * The whole network is one operator.
 *
 * What it cannot start or compute ends in a status that the link answers as REFUSED. */
#include "edgesq.h"
#include "esq_whole.h"
#include "model_data.h"

#define ESQ_ROW_BYTES (ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS)

enum esq_status esq_init(struct esq_engine *engine, const struct esq_model *model, void *arena,
                         uint32_t arena_bytes) {
    engine->model = model;
    engine->arena = esq_whole_init(arena, arena_bytes) == 0 ? esq_whole_input() : 0;
    esq_start(engine);
    return ESQ_DONE;
}

/* TensorFlow Lite Micro reads no streams. */
uint32_t esq_damaged_weights(const struct esq_model *model) {
    (void)model;
    return ESQ_NO_OP;
}

/* Models that keep state are not exported for TensorFlow Lite Micro. */
void esq_reset_state(const struct esq_engine *engine) { (void)engine; }

int esq_keeps_state(const struct esq_engine *engine) {
    (void)engine;
    return 0;
}

void esq_start(struct esq_engine *engine) {
    engine->step = 0;
    engine->image_row = 0;
    engine->starved = 0;
    engine->input = 0;
}

enum esq_status esq_step(struct esq_engine *engine) {
    if (engine->arena == 0) {
        return ESQ_BAD_ARENA;
    }
    if (engine->image_row < ESQ_MODEL_INPUT_HEIGHT) {
        engine->starved = 1;
        return ESQ_NEEDS_ROW;
    }
    if (engine->step == 0) {
        if (esq_whole_invoke() != 0) {
            return ESQ_FAILED;
        }
        engine->step = 1;
        return ESQ_MORE;
    }
    return ESQ_DONE;
}

uint32_t esq_next_op(const struct esq_engine *engine) {
    const int is_ready = engine->arena != 0 && engine->image_row == ESQ_MODEL_INPUT_HEIGHT;
    return is_ready && engine->step == 0 ? 0u : ESQ_NO_OP;
}

struct esq_rows_so_far esq_op_rows(const struct esq_engine *engine, uint32_t op) {
    const uint16_t done = op == 0 ? (uint16_t)engine->step : 0u;
    return (struct esq_rows_so_far){.in_row = engine->image_row, .out_row = done, .complete = done};
}

int esq_find_row(const struct esq_engine *engine, uint32_t op, uint32_t which, uint32_t row,
                 struct esq_row_view *view) {
    if (engine->arena == 0 || op != 0 || which != 0 || row != 0) {
        return 0;
    }
    *view = (struct esq_row_view){
        .first = esq_whole_output(),
        .pixel_bytes = ESQ_MODEL_OBSERVED_BYTES,
        .width = 1,
        .channels = ESQ_MODEL_OBSERVED_BYTES,
    };
    return 1;
}

int8_t *esq_input_row(const struct esq_engine *engine) {
    return engine->arena + (uint32_t)engine->image_row * ESQ_ROW_BYTES;
}

uint32_t esq_input_row_bytes(const struct esq_engine *engine) {
    (void)engine;
    return ESQ_ROW_BYTES;
}

uint32_t esq_next_input(const struct esq_engine *engine) { return engine->input; }

enum esq_status esq_push_row(struct esq_engine *engine) {
    if (!engine->starved) {
        return ESQ_BAD_CALL;
    }
    engine->starved = 0;
    engine->image_row++;
    return ESQ_MORE;
}

const int8_t *esq_observed(const struct esq_engine *engine, uint32_t index, uint32_t *bytes) {
    (void)engine;
    if (index != 0) {
        return 0;
    }
    *bytes = ESQ_MODEL_OBSERVED_BYTES;
    return esq_whole_output();
}
