/* edgesq runtime: runs an int8 image network in bands of rows, in memory the caller gives.
 *
 *   esq_init once, then for every image:
 *     esq_start
 *     loop on esq_step:
 *       ESQ_NEEDS_ROW  fill esq_input_row() with a row [width, channels], then esq_push_row(); of
 *                      several inputs esq_next_input() says whose row it is
 *       ESQ_MORE       one step of the schedule was run; call again (a good place for a heartbeat)
 *       ESQ_DONE       esq_observed(0) is the output, esq_observed(1) the logits before a softmax;
 *                      of several outputs all come first, then their logits
 *       any other      the image cannot be computed: end the loop
 *
 * A model that keeps state from one image of a sequence to the next keeps it in the arena: esq_init
 * resets it, esq_start does not, esq_reset_state begins a sequence.
 *
 * No malloc, no recursion, no floating point. An engine is not reentrant; engines are independent.
 */
#ifndef EDGESQ_H
#define EDGESQ_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Layout of the generated data; generated files refuse to compile against another one. */
#define ESQ_LAYOUT_VERSION 6

enum esq_status {
    ESQ_DONE = 0,
    ESQ_MORE = 1,
    ESQ_NEEDS_ROW = 2,
    ESQ_BAD_ARENA = 3, /* arena too small or not aligned to 16 bytes */
    ESQ_BAD_CALL = 4,  /* a row pushed when none was asked for */
    ESQ_FAILED = 5,    /* the runtime under the engine cannot go on */
};

struct esq_model; /* generated; see esq_model.h */

struct esq_engine {
    const struct esq_model *model;
    int8_t *arena;
    uint32_t step;      /* index into the schedule */
    uint16_t image_row; /* the next row of that input */
    uint8_t starved;    /* 1: the schedule waits for an image row */
    uint8_t input;      /* whose row is next, as esq_next_input() says */
};

/* Binds a model to `arena` (16-byte aligned, at least model->arena_bytes): ESQ_DONE, or
 * ESQ_BAD_ARENA. */
enum esq_status esq_init(struct esq_engine *engine, const struct esq_model *model, void *arena,
                         uint32_t arena_bytes);

/* Forgets the current image and begins the next one. State that the model keeps from image to image
 * stays; of an image that is forgotten half way, some operators have taken it and some have not. */
void esq_start(struct esq_engine *engine);

/* Forgets what the model keeps from the images before, between two images: the next one begins a
 * sequence. Nothing happens where the model keeps nothing. */
void esq_reset_state(const struct esq_engine *engine);

/* Whether the model keeps anything from one image to the next. */
int esq_keeps_state(const struct esq_engine *engine);

/* Runs one step of the schedule. */
enum esq_status esq_step(struct esq_engine *engine);

/* Where the next image row goes: int8 [width, channels], valid after ESQ_NEEDS_ROW. */
int8_t *esq_input_row(const struct esq_engine *engine);

/* Bytes of that row. */
uint32_t esq_input_row_bytes(const struct esq_engine *engine);

/* Which input it is a row of, in the order of NAME_MODEL_INPUT_SHAPES; 0 where there is one. */
uint32_t esq_next_input(const struct esq_engine *engine);

/* Says that esq_input_row() is filled: ESQ_MORE, or ESQ_BAD_CALL where no row was wanted. */
enum esq_status esq_push_row(struct esq_engine *engine);

/* No operator: the schedule waits for an image row, or the image is done. */
#define ESQ_NO_OP 0xFFFFu

/* The first operator whose stream of weights in flash is not what export wrote; ESQ_NO_OP where all
 * are. About 12 instructions per byte: once, before the first image. The engine itself does not
 * look: from a damaged stream it decodes weights that are wrong, within its memory. */
uint32_t esq_damaged_weights(const struct esq_model *model);

/* The operator that the next esq_step runs, below the model's op_count; ESQ_NO_OP for none. */
uint32_t esq_next_op(const struct esq_engine *engine);

/* How far an operator is. */
struct esq_rows_so_far {
    uint16_t in_row;   /* next input row, of an operator that accumulates */
    uint16_t out_row;  /* next output row, or the one that accumulates */
    uint16_t complete; /* output rows that are complete */
};

/* How far operator `op`, below the model's op_count, is. */
struct esq_rows_so_far esq_op_rows(const struct esq_engine *engine, uint32_t op);

/* A row of a tensor where its ring holds it: int8 [width, channels]. */
struct esq_row_view {
    const int8_t *first;  /* of the first pixel */
    uint32_t pixel_bytes; /* from one pixel to the next */
    uint16_t width;
    uint16_t channels;
};

/* Finds the ring's place of a row: of the operator's output where `which` is 0, of its input
 * `which` - 1 elsewhere. Whether that row still lies there is the schedule's affair. 0: there is no
 * such operator, tensor or row. */
int esq_find_row(const struct esq_engine *engine, uint32_t op, uint32_t which, uint32_t row,
                 struct esq_row_view *view);

/* Values a verifier compares, int8 [*bytes], from ESQ_DONE until esq_start; NULL past the last. */
const int8_t *esq_observed(const struct esq_engine *engine, uint32_t index, uint32_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
