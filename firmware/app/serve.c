#include "serve.h"

#include <string.h>

#include "esq_port.h"
#include "link.h"
#include "model_data.h"

#define ESQ_TEXT(x) #x
#define ESQ_TEXT_OF(macro) ESQ_TEXT(macro)

#undef linux /* 1 in GNU's C; ESP-IDF has a board of this name */

/* What a build does not say is left out. */
#ifdef ESQ_BOARD_NAME
#define ESQ_BOARD ESQ_TEXT_OF(ESQ_BOARD_NAME)
#else
#define ESQ_BOARD ""
#endif
#ifndef ESQ_CLOCK_HZ
#define ESQ_CLOCK_HZ 0u
#endif
#ifdef ESQ_BUILD_FLAGS
#define ESQ_FLAGS " " ESQ_BUILD_FLAGS
#else
#define ESQ_FLAGS ""
#endif

#ifdef __clang__
#define ESQ_COMPILER "clang"
#define ESQ_COMPILER_VERSION                                                                       \
    ESQ_TEXT_OF(__clang_major__)                                                                   \
    "." ESQ_TEXT_OF(__clang_minor__) "." ESQ_TEXT_OF(__clang_patchlevel__)
#else
#define ESQ_COMPILER "gcc"
#define ESQ_COMPILER_VERSION                                                                       \
    ESQ_TEXT_OF(__GNUC__) "." ESQ_TEXT_OF(__GNUC_MINOR__) "." ESQ_TEXT_OF(__GNUC_PATCHLEVEL__)
#endif

#ifndef __OPTIMIZE__
#define ESQ_OPTIMISATION ESQ_NOT_OPTIMISED
#elif defined(__OPTIMIZE_SIZE__)
#define ESQ_OPTIMISATION ESQ_OPTIMISED_SIZE
#else
#define ESQ_OPTIMISATION ESQ_OPTIMISED_SPEED
#endif

static _Alignas(16) uint8_t arena[ESQ_MODEL_ARENA_BYTES];
static struct esq_op_trace op_traces[ESQ_MODEL_OP_COUNT];
static uint8_t results[ESQ_MODEL_OBSERVED_BYTES];
static int8_t coded_row[ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS];

static const uint16_t inputs[][3] = ESQ_MODEL_INPUT_SHAPES;

static const struct esq_identity identity = {
    .model_sha256 = ESQ_MODEL_SHA256_BYTES,
    .height = ESQ_MODEL_INPUT_HEIGHT,
    .width = ESQ_MODEL_INPUT_WIDTH,
    .channels = ESQ_MODEL_INPUT_CHANNELS,
    .inputs = inputs,
    .n_rows = ESQ_MODEL_INPUT_ROWS,
    .n_inputs = sizeof inputs / sizeof *inputs,
    .clock_hz = ESQ_CLOCK_HZ,
    .op_count = ESQ_MODEL_OP_COUNT,
    .optimisation = ESQ_OPTIMISATION,
    .kernels = ESQ_MODEL_KERNELS,
    .board = ESQ_BOARD,
    .build = ESQ_COMPILER " " ESQ_COMPILER_VERSION ESQ_FLAGS,
};

static struct esq_engine engine;
static struct esq_link link;

int esq_serve_begin(void) {
    link.engine = &engine; /* set here: an initialiser would put the whole struct into flash */
    link.identity = &identity;
    link.trace.ops = op_traces;
    link.trace.op_count = ESQ_MODEL_OP_COUNT;
    link.rows.row = coded_row;
    link.rows.width = ESQ_MODEL_INPUT_WIDTH;
    link.rows.channels = ESQ_MODEL_INPUT_CHANNELS;
    link.results.values = results;
    link.results.n_bytes = sizeof results;
    link.results.arena = arena;
    link.results.arena_bytes = sizeof arena;
    memset(arena, ESQ_ARENA_PAINT, sizeof arena);

    esq_port_init();
    /* Cannot fail: the generator sized the arena. A board that fails here stays silent, and the
     * host's bounded wait says so. */
    if (esq_init(&engine, &ESQ_MODEL, arena, sizeof arena) != ESQ_DONE) {
        return 1;
    }
    link.damaged_op = (uint16_t)esq_damaged_weights(&ESQ_MODEL);
    return 0;
}

void esq_serve(void) {
    int byte = esq_port_read();
    if (byte >= 0) {
        esq_link_push(&link, (uint8_t)byte);
    } else if (esq_link_waits_for_a_time(&link)) {
        esq_port_pause();
    } else {
        esq_port_idle();
    }
}
