/* What an application needs around an engine: rows of pixels in, a class out.
 *
 * Generated NAME_app.c holds one struct esq_app and calls these functions under the model's own
 * names (NAME_model.h). For an arena of your own, or several engines, call them yourself.
 */
#ifndef ESQ_APP_H
#define ESQ_APP_H

#include <stdint.h>

#include "edgesq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model with what becomes of its pixels. */
struct esq_app {
    const struct esq_model *model;
    const int8_t (*levels)[256]; /* int8 [channels][256]: the model's input for a pixel's value */
    uint32_t (*damaged)(const struct esq_model *model); /* esq_damaged_weights; 0: all are plain */
    uint32_t is_reversed; /* 1: the model's first channel is the last one of a pixel */
    int32_t one_from;     /* with one output: class 1 from this value on, class 0 below */
    uint32_t image;       /* which input the pixels are of, as esq_next_input() says */
    const int8_t **given; /* the values of the other inputs, by their number; 0: there are none */
};

/* Binds the engine to the model and an arena, as esq_init does; ESQ_FAILED where the weights in
 * flash are not what export wrote. */
enum esq_status esq_app_open(const struct esq_app *app, struct esq_engine *engine, void *arena,
                             uint32_t arena_bytes);

/* Begins an image: ESQ_NEEDS_ROW. ESQ_BAD_CALL: an input beside it is not given. */
enum esq_status esq_app_start(const struct esq_app *app, struct esq_engine *engine);

/* Takes the next row, uint8 [width][channels], and computes what it allows: ESQ_NEEDS_ROW until the
 * last one, then ESQ_DONE. ESQ_BAD_CALL: no row is wanted. The pixels are not kept. */
enum esq_status esq_app_push_row(const struct esq_app *app, struct esq_engine *engine,
                                 const uint8_t *pixels);

/* Takes a whole image, uint8 [height][width][channels]: ESQ_DONE. */
enum esq_status esq_app_run(const struct esq_app *app, struct esq_engine *engine,
                            const uint8_t *pixels);

/* The class after ESQ_DONE: of the largest value of the logits, or of the output where there are
 * none; the lowest of equal ones. */
int32_t esq_app_class(const struct esq_app *app, const struct esq_engine *engine);

#ifdef __cplusplus
}
#endif

#endif
