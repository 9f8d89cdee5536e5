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
    esq_reset_state(engine);
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
    engine->input = 0;
}

void esq_reset_state(const struct esq_engine *engine) {
    for (uint32_t k = 0; k < engine->model->state_count; k++) {
        const struct esq_state *state = &engine->model->states[k];
        int8_t *place = engine->arena + state->offset_bytes;
        for (uint32_t byte = 0; byte < state->bytes; byte++) {
            place[byte] = state->value;
        }
    }
}

int esq_keeps_state(const struct esq_engine *engine) { return engine->model->state_count != 0; }

/* The operator, or what else a step is, whose code begins at `step`. */
static uint32_t step_at(const struct esq_model *model, uint32_t step) {
    const uint8_t *code = &model->schedule[step];
    return *code == ESQ_STEP_FAR ? (uint32_t)code[1] << 8 | code[2] : *code;
}

static int is_operator(const struct esq_model *model, uint32_t step) {
    return model->schedule[step] <= ESQ_STEP_FAR;
}

enum esq_status esq_step(struct esq_engine *engine) {
    const struct esq_model *model = engine->model;
    const uint32_t code = model->schedule[engine->step];
    if (code == ESQ_STEP_END) {
        return ESQ_DONE;
    }
    if (code == ESQ_STEP_INPUT) {
        engine->starved = 1;
        return ESQ_NEEDS_ROW;
    }
    const uint32_t next = step_at(model, engine->step);
    const struct esq_op *op = &model->ops[next];
    op->run(op, engine->arena, &progress_of(engine)[next]);
    engine->step += code == ESQ_STEP_FAR ? 3u : 1u;
    return ESQ_MORE;
}

uint32_t esq_next_op(const struct esq_engine *engine) {
    const struct esq_model *model = engine->model;
    return is_operator(model, engine->step) ? step_at(model, engine->step) : ESQ_NO_OP;
}

/* Windows of a running maximum that end above an input row. */
static uint32_t ended_above(const struct esq_op *op, uint32_t row) {
    const struct esq_window *window = op->params;
    const uint32_t height = op->output->height;
    const uint32_t end = row + window->pad_top; /* one past the last row of such a window */
    if (row >= op->input[0]->height) {
        return height;
    }
    const uint32_t ended = end < window->height ? 0 : (end - window->height) / window->stride_h + 1;
    return ended < height ? ended : height;
}

/* A running maximum is about to take in_row into out_row; windows above out_row took it already. */
static uint32_t complete_maxima(const struct esq_op *op, const struct esq_progress *progress) {
    const uint32_t above = ended_above(op, progress->in_row);
    const uint32_t with_it = ended_above(op, progress->in_row + 1u);
    const uint32_t taken = progress->out_row < with_it ? progress->out_row : with_it;
    return taken > above ? taken : above;
}

struct esq_rows_so_far esq_op_rows(const struct esq_engine *engine, uint32_t op) {
    const struct esq_op *row_op = &engine->model->ops[op];
    const struct esq_progress *progress = &progress_of(engine)[op];
    const uint32_t complete =
        row_op->takes_maximum ? complete_maxima(row_op, progress) : progress->out_row;
    return (struct esq_rows_so_far){progress->in_row, progress->out_row, (uint16_t)complete};
}

int esq_find_row(const struct esq_engine *engine, uint32_t op, uint32_t which, uint32_t row,
                 struct esq_row_view *view) {
    if (op >= engine->model->op_count || which > 2) {
        return 0;
    }
    const struct esq_op *row_op = &engine->model->ops[op];
    const struct esq_slot *slot = which == 0 ? row_op->output : row_op->input[which - 1];
    if (!slot || row >= slot->height) {
        return 0;
    }
    *view = (struct esq_row_view){esq_row(engine->arena, slot, row), slot->pixel_bytes, slot->width,
                                  slot->channels};
    return 1;
}

static const struct esq_slot *next_slot(const struct esq_engine *engine) {
    return engine->model->inputs[engine->input];
}

int8_t *esq_input_row(const struct esq_engine *engine) {
    return esq_row(engine->arena, next_slot(engine), engine->image_row);
}

uint32_t esq_input_row_bytes(const struct esq_engine *engine) {
    const struct esq_slot *slot = next_slot(engine);
    return (uint32_t)slot->width * slot->channels;
}

uint32_t esq_next_input(const struct esq_engine *engine) { return engine->input; }

/* An input that comes whole hands over to the next one at its end, others after each row. */
static void next_row(struct esq_engine *engine) {
    const struct esq_model *model = engine->model;
    if (engine->input < model->whole_inputs) {
        if (++engine->image_row == next_slot(engine)->height) {
            engine->image_row = 0;
            engine->input++;
        }
    } else if (++engine->input == model->input_count) {
        engine->input = model->whole_inputs;
        engine->image_row++;
    }
}

enum esq_status esq_push_row(struct esq_engine *engine) {
    if (!engine->starved) {
        return ESQ_BAD_CALL;
    }
    engine->starved = 0;
    next_row(engine);
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
