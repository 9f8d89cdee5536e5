#include "esq_app.h"

#include <string.h>

#include "esq_model.h"

enum esq_status esq_app_open(const struct esq_app *app, struct esq_engine *engine, void *arena,
                             uint32_t arena_bytes) {
    if (app->damaged != 0 && app->damaged(app->model) != ESQ_NO_OP) {
        return ESQ_FAILED;
    }
    return esq_init(engine, app->model, arena, arena_bytes);
}

/* A row of another input than the image. */
static enum esq_status take_given(const struct esq_app *app, struct esq_engine *engine) {
    const int8_t *values = app->given[esq_next_input(engine)];
    const uint32_t row_bytes = esq_input_row_bytes(engine);
    if (values == 0) {
        return ESQ_BAD_CALL;
    }
    memcpy(esq_input_row(engine), values + engine->image_row * row_bytes, row_bytes);
    return esq_push_row(engine);
}

/* Whatever is neither a step taken nor a row wanted is an end: no failure loops for ever. */
static enum esq_status run_on(const struct esq_app *app, struct esq_engine *engine) {
    enum esq_status status;
    do {
        status = esq_step(engine);
        if (status == ESQ_NEEDS_ROW && esq_next_input(engine) != app->image) {
            status = take_given(app, engine);
        }
    } while (status == ESQ_MORE);
    return status;
}

enum esq_status esq_app_start(const struct esq_app *app, struct esq_engine *engine) {
    esq_start(engine);
    return run_on(app, engine);
}

/* Locals, since the row is of a type that might alias the tables' addresses. */
static void quantize(const struct esq_app *app, const uint8_t *pixels, int8_t *row) {
    const struct esq_slot *input = app->model->input;
    const int8_t (*const levels)[256] = app->levels;
    const uint32_t channels = input->channels;
    const uint32_t first = app->is_reversed ? channels - 1u : 0u;
    const uint32_t step = app->is_reversed ? UINT32_MAX : 1u; /* modulo 2^32: one back */
    for (uint32_t x = input->width; x > 0; x--) {
        uint32_t from = first;
        for (uint32_t channel = 0; channel < channels; channel++) {
            row[channel] = levels[channel][pixels[from]];
            from += step;
        }
        pixels += channels;
        row += channels;
    }
}

enum esq_status esq_app_push_row(const struct esq_app *app, struct esq_engine *engine,
                                 const uint8_t *pixels) {
    if (!engine->starved) {
        return ESQ_BAD_CALL;
    }
    quantize(app, pixels, esq_input_row(engine));
    const enum esq_status status = esq_push_row(engine);
    return status == ESQ_MORE ? run_on(app, engine) : status;
}

enum esq_status esq_app_run(const struct esq_app *app, struct esq_engine *engine,
                            const uint8_t *pixels) {
    const struct esq_slot *input = app->model->input;
    enum esq_status status = esq_app_start(app, engine);
    while (status == ESQ_NEEDS_ROW) {
        status = esq_app_push_row(app, engine, pixels);
        pixels += (uint32_t)input->width * input->channels;
    }
    return status;
}

int32_t esq_app_class(const struct esq_app *app, const struct esq_engine *engine) {
    uint32_t count = 0;
    const int8_t *scores = esq_observed(engine, app->model->observed_count - 1u, &count);
    if (count == 1) {
        return scores[0] >= app->one_from;
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = scores[i] > scores[best] ? i : best;
    }
    return (int32_t)best;
}
