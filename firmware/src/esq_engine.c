#include "edgesq.h"
#include "esq_model.h"

static struct esq_progress *progress_of(const struct esq_engine *engine) {
    void *place = engine->arena + engine->model->progress_offset_bytes;
    return place;
}

enum esq_status esq_init(struct esq_engine *engine, const struct esq_model *model, void *arena,
                         uint32_t arena_bytes) {
    if (arena_bytes < model->arena_bytes || (uintptr_t)arena % 16u != 0) {
        return ESQ_BAD_ARENA;
    }
    engine->model = model;
    engine->arena = arena;
    esq_start(engine);
    return ESQ_DONE;
}

void esq_start(struct esq_engine *engine) {
    struct esq_progress *progress = progress_of(engine);
    for (uint32_t op = 0; op < engine->model->op_count; op++) {
        progress[op] = (struct esq_progress){0, 0};
    }
    engine->step = 0;
    engine->image_row = 0;
    engine->starved = 0;
}

enum esq_status esq_step(struct esq_engine *engine) {
    const struct esq_model *model = engine->model;
    const uint32_t next = model->schedule[engine->step];
    if (next == ESQ_STEP_END) {
        return ESQ_DONE;
    }
    if (next == ESQ_STEP_INPUT) {
        engine->starved = 1;
        return ESQ_NEEDS_ROW;
    }
    const struct esq_op *op = &model->ops[next];
    op->run(op, engine->arena, &progress_of(engine)[next]);
    engine->step++;
    return ESQ_MORE;
}

int8_t *esq_input_row(const struct esq_engine *engine) {
    return esq_row(engine->arena, engine->model->input, engine->image_row);
}

enum esq_status esq_push_row(struct esq_engine *engine) {
    if (!engine->starved) {
        return ESQ_BAD_CALL;
    }
    engine->starved = 0;
    engine->image_row++;
    engine->step++;
    return ESQ_MORE;
}

const int8_t *esq_observed(const struct esq_engine *engine, uint32_t index, uint32_t *bytes) {
    if (index >= engine->model->observed_count) {
        return 0;
    }
    const struct esq_slot *slot = engine->model->observed[index];
    *bytes = (uint32_t)slot->height * slot->width * slot->channels;
    return esq_row(engine->arena, slot, 0);
}
