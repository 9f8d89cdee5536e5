/* Pretends to be the engine: 10 outputs and 1,000 "logits" that depend on every byte and its place.
 * The last row is not asked for when ESQ_STUB_ROWS is less than the height. */
#include "esq_port.h"
#include "model_data.h"

#ifndef ESQ_STUB_ROWS
#define ESQ_STUB_ROWS ESQ_MODEL_INPUT_HEIGHT
#endif
#ifndef ESQ_STUB_STEPS
#define ESQ_STUB_STEPS 3 /* per row */
#endif
#ifndef ESQ_STUB_SPIN
#define ESQ_STUB_SPIN 50 /* loops per step, 2 instructions each */
#endif
#ifndef ESQ_STUB_WRONG
#define ESQ_STUB_WRONG 0 /* 1: one value of one image in eight is wrong */
#endif
#ifndef ESQ_STUB_TICKS
#define ESQ_STUB_TICKS 0u /* further time per step */
#endif

#define ROW_BYTES (ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS)

struct esq_model {
    uint32_t seed;
};

const struct esq_model esq_model = {1};

static int8_t row[ROW_BYTES];
static int8_t output[10];
static int8_t logits[1000];
static uint32_t hash;
static uint32_t n_rows;
static uint32_t n_steps; /* of operator 1 */

enum esq_status esq_init(struct esq_engine *engine, const struct esq_model *model, void *arena,
                         uint32_t arena_bytes) {
    engine->model = model;
    engine->arena = arena;
    return arena_bytes < ESQ_MODEL_ARENA_BYTES ? ESQ_BAD_ARENA : ESQ_DONE;
}

uint32_t esq_damaged_weights(const struct esq_model *model) {
    (void)model;
    return ESQ_NO_OP;
}

void esq_reset_state(const struct esq_engine *engine) { (void)engine; }

int esq_keeps_state(const struct esq_engine *engine) {
    (void)engine;
    return 0;
}

void esq_start(struct esq_engine *engine) {
    engine->step = 0;
    hash = engine->model->seed;
    n_rows = 0;
    n_steps = 0;
}

static void finish(void) {
    for (uint32_t i = 0; i < sizeof output; i++) {
        output[i] = (int8_t)(hash >> i);
    }
    if (ESQ_STUB_WRONG && hash % 8u == 0) {
        output[3] ^= 4;
    }
    for (uint32_t i = 0; i < sizeof logits; i++) {
        hash = hash * 1664525u + 1013904223u;
        logits[i] = (int8_t)(hash >> 24);
    }
}

static void spin(void) {
    uint32_t left = ESQ_STUB_SPIN;
#ifdef __arm__
    __asm__ volatile(".syntax unified\n1: subs %0, %0, #1\n bne 1b" : "+r"(left) : : "cc");
#elif defined(__riscv)
    __asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(left));
#else
    for (volatile uint32_t i = 0; i < left; i++) {
    }
#endif
#if ESQ_STUB_TICKS > 0
    uint32_t start = esq_port_ticks();
    while (esq_port_ticks() - start < ESQ_STUB_TICKS) {
    }
#endif
}

enum esq_status esq_step(struct esq_engine *engine) {
    spin();
    if (engine->step != 0) {
        n_steps += engine->step % ESQ_MODEL_OP_COUNT == 1;
        engine->step--;
        return ESQ_MORE;
    }
    if (n_rows < ESQ_STUB_ROWS) {
        return ESQ_NEEDS_ROW;
    }
    finish();
    return ESQ_DONE;
}

uint32_t esq_next_op(const struct esq_engine *engine) {
    return engine->step == 0 ? ESQ_NO_OP : engine->step % ESQ_MODEL_OP_COUNT;
}

/* Operator 1 completes a row of three pixels, one byte of every two, in each of its steps. */
struct esq_rows_so_far esq_op_rows(const struct esq_engine *engine, uint32_t op) {
    (void)engine;
    return (struct esq_rows_so_far){0, (uint16_t)n_rows, op == 1 ? (uint16_t)n_steps : 0};
}

int esq_find_row(const struct esq_engine *engine, uint32_t op, uint32_t which, uint32_t row_number,
                 struct esq_row_view *view) {
    (void)engine;
    *view = (struct esq_row_view){row, 2, 3, 1};
    return op == 1 && which == 0 && row_number < ESQ_MODEL_INPUT_HEIGHT;
}

int8_t *esq_input_row(const struct esq_engine *engine) {
    (void)engine;
    return row;
}

uint32_t esq_input_row_bytes(const struct esq_engine *engine) {
    (void)engine;
    return ROW_BYTES;
}

enum esq_status esq_push_row(struct esq_engine *engine) {
    for (uint32_t i = 0; i < ROW_BYTES; i++) {
        hash = (hash ^ (uint8_t)row[i]) * 16777619u;
    }
    n_rows++;
    engine->step = ESQ_STUB_STEPS;
    return ESQ_MORE;
}

const int8_t *esq_observed(const struct esq_engine *engine, uint32_t index, uint32_t *bytes) {
    (void)engine;
    *bytes = index == 0 ? sizeof output : sizeof logits;
    return index == 0 ? output : index == 1 ? logits : 0;
}
