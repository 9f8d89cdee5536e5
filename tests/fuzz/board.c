#include "board.h"

#include <string.h>

#include "esq_port.h"
#include "link.h"
#include "model_data.h"
#include "rules.h"

#define IMAGE_BYTES (ESQ_MODEL_INPUT_HEIGHT * ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS)
/* 20 bits for each value, and bytes that come before it shows that they are not needed. */
#define MOST_IMAGE_BYTES (IMAGE_BYTES * 20u / 8u + 4u)
#define RESULT_HEAD_BYTES 28u
#define RATE_MIN 9600u
#define RATE_MAX 3000000u
#define PATIENCE_TICKS (2u * BOARD_CLOCK_HZ)

static const uint16_t inputs[][3] = ESQ_MODEL_INPUT_SHAPES;

static const struct esq_identity identity = {
    .model_sha256 = ESQ_MODEL_SHA256_BYTES,
    .height = ESQ_MODEL_INPUT_HEIGHT,
    .width = ESQ_MODEL_INPUT_WIDTH,
    .channels = ESQ_MODEL_INPUT_CHANNELS,
    .inputs = inputs,
    .n_rows = ESQ_MODEL_INPUT_ROWS,
    .n_inputs = 1,
    .op_count = ESQ_MODEL_OP_COUNT,
    .kernels = ESQ_MODEL_KERNELS,
    .board = "a board whose name is longer than 32 characters",
    .build = "gcc",
};

static _Alignas(16) uint8_t arena[ESQ_MODEL_ARENA_BYTES];
static struct esq_op_trace op_traces[ESQ_MODEL_OP_COUNT];
static uint8_t results[ESQ_MODEL_OBSERVED_BYTES];
static int8_t coded_row[ESQ_MODEL_INPUT_WIDTH * ESQ_MODEL_INPUT_CHANNELS];
static struct esq_engine engine;
static struct esq_link link_;
static uint32_t now, pace_;
static struct wire answers;
static uint8_t expected[ESQ_MODEL_OBSERVED_BYTES]; /* of the image that is all 1 */
static uint32_t n_expected;
static uint32_t rate;

/* --- the port --- */

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    must(n_bytes <= sizeof answers.bytes - answers.n_bytes, "the board floods the line");
    memcpy(answers.bytes + answers.n_bytes, bytes, n_bytes);
    answers.n_bytes += n_bytes;
}

uint32_t esq_port_rx_bytes(void) { return 1024; }

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) { return 0; }

uint32_t esq_port_ticks(void) {
    now += pace_;
    return now;
}

uint32_t esq_port_tick_hz(void) { return BOARD_CLOCK_HZ; }

int esq_port_holds_baud(uint32_t baud) { return baud >= RATE_MIN && baud <= RATE_MAX; }

void esq_port_set_baud(uint32_t baud) {
    must(esq_port_holds_baud(baud), "a rate that the port does not hold");
    rate = baud;
}

/* --- the board --- */

static void expect(void) {
    static int8_t image[IMAGE_BYTES];
    memset(image, 1, sizeof image);
    const int8_t *next = image;
    enum esq_status status = ESQ_MORE;
    esq_start(&engine);
    while (status != ESQ_DONE) {
        if (status == ESQ_NEEDS_ROW) {
            memcpy(esq_input_row(&engine), next, IMAGE_BYTES / ESQ_MODEL_INPUT_HEIGHT);
            next += IMAGE_BYTES / ESQ_MODEL_INPUT_HEIGHT;
            must(esq_push_row(&engine) == ESQ_MORE, "the engine takes no row");
        }
        status = esq_step(&engine);
    }
    uint32_t n_bytes = 0;
    const int8_t *values;
    for (uint32_t i = 0; (values = esq_observed(&engine, i, &n_bytes)) != NULL; i++) {
        must(n_bytes <= sizeof expected - n_expected, "more is observed than there is");
        memcpy(expected + n_expected, values, n_bytes);
        n_expected += n_bytes;
    }
}

void board_start(uint32_t pace) {
    memset(&link_, 0, sizeof link_);
    link_.engine = &engine;
    link_.identity = &identity;
    link_.damaged_op = pace & 1u ? ESQ_MODEL_OP_COUNT - 1u : ESQ_NO_OP;
    link_.trace.ops = op_traces;
    link_.trace.op_count = ESQ_MODEL_OP_COUNT;
    link_.rows.row = coded_row;
    link_.rows.width = ESQ_MODEL_INPUT_WIDTH;
    link_.rows.channels = ESQ_MODEL_INPUT_CHANNELS;
    link_.results.values = results;
    link_.results.n_bytes = sizeof results;
    link_.results.arena = arena;
    link_.results.arena_bytes = sizeof arena;
    now = 0;
    rate = ESQ_BAUD_DEFAULT;
    pace_ = pace;
    must(esq_init(&engine, &ESQ_MODEL, arena, sizeof arena) == ESQ_DONE, "esq_init");
    if (n_expected == 0) {
        expect();
    }
    memset(arena, ESQ_ARENA_PAINT, sizeof arena);
}

/* What the link must never lose, whatever came; memory of its own that no sanitizer parts. */
static void check_link(void) {
    must(link_.engine == &engine && link_.identity == &identity, "link lost its pointers");
    must(link_.trace.ops == op_traces, "trace lost its pointer");
    must(link_.results.values == results, "results lost their pointer");
    must(link_.results.n_bytes == sizeof results, "results have another size");
    must(link_.results.arena_used <= sizeof arena, "more arena is used than there is");
    must(link_.trace.op_count == ESQ_MODEL_OP_COUNT, "trace counts other operators");
    must(link_.decoder.n_bytes <= ESQ_FRAME_MAX, "decoder beyond its buffer");
    const uint32_t most = link_.is_coded ? MOST_IMAGE_BYTES : IMAGE_BYTES;
    must(link_.offset <= most, "more image than there is");
    must(link_.column < IMAGE_BYTES / ESQ_MODEL_INPUT_HEIGHT, "more of a row than it has");
    must(link_.n_rows <= ESQ_MODEL_INPUT_HEIGHT, "more rows than there are");
    must(link_.rows.row == coded_row, "rows lost their pointer");
    must(link_.rows.at < sizeof coded_row, "rows are beyond the row");
    must(engine.model == &ESQ_MODEL && engine.arena == (int8_t *)arena, "engine lost its pointers");
}

void board_hear(const uint8_t *bytes, uint32_t n_bytes) {
    for (uint32_t i = 0; i < n_bytes; i++) {
        answers.n_bytes = 0;
        esq_link_push(&link_, bytes[i]);
        if (answers.n_bytes != 0) {
            const struct rules rules = {link_.tag, MOST_IMAGE_BYTES, n_expected, sizeof arena,
                                        ESQ_MODEL_OP_COUNT};
            check_answers(&answers, &rules);
            check_link();
        }
    }
}

void board_pass(uint32_t ticks) {
    now += ticks;
    const int is_fast = esq_link_waits_for_a_time(&link_);
    must(!is_fast || ticks <= PATIENCE_TICKS, "the board stays at a rate that nobody speaks");
    must(is_fast == (rate != ESQ_BAUD_DEFAULT), "link and port are at different rates");
}

/* What a good host sends; made once. */
static struct wire hello, data, result_get, coded, coded_get;

static void write_requests(void) {
    static const uint8_t version_image[5] = {ESQ_PROTOCOL_VERSION, 0, 0, 0, 0};
    uint8_t payload[8 + IMAGE_BYTES] = {1};
    wire_put(&hello, ESQ_FRAME_HELLO, 0, BOARD_TAG, version_image, sizeof version_image);
    memset(payload + 8, 1, IMAGE_BYTES);
    wire_put(&result_get, ESQ_FRAME_RESULT_GET, 2, BOARD_TAG, payload, 10);
    wire_put(&data, ESQ_FRAME_DATA, 1, BOARD_TAG, payload, sizeof payload);
    /* Rice with no low bits: 110 is the first 1, and 15 times 0 no difference from it. */
    static const uint8_t ones[11] = {2, 0, 0, 0, 0, 0, 0, 0, 0x18, 0, 0};
    wire_put(&coded, ESQ_FRAME_CODED, 3, BOARD_TAG, ones, sizeof ones);
    payload[0] = 2;
    memset(payload + 1, 0, 7);
    payload[8] = 1;
    wire_put(&coded_get, ESQ_FRAME_RESULT_GET, 4, BOARD_TAG, payload, 10);
}

void board_hello(void) {
    if (hello.n_bytes == 0) {
        write_requests();
    }
    board_hear(hello.bytes, hello.n_bytes);
}

static void must_compute(const struct wire *image, const struct wire *get) {
    static struct wire_frame frame;
    const uint8_t *payload = frame.body + ESQ_FRAME_HEAD_BYTES;
    board_hear(image->bytes, image->n_bytes);
    last_answer(&answers, ESQ_FRAME_ACK, &frame);
    must(payload[8] == ESQ_ACK_DONE, "the image was not computed");
    board_hear(get->bytes, get->n_bytes);
    last_answer(&answers, ESQ_FRAME_RESULT, &frame);
    must(frame.n_payload == RESULT_HEAD_BYTES + n_expected, "a result is missing");
    must(memcmp(payload + RESULT_HEAD_BYTES, expected, n_expected) == 0, "a result is wrong");
}

void board_must_work(void) {
    static const uint8_t delimiter = 0;
    static struct wire_frame frame;
    board_hear(&delimiter, 1);
    board_hello();
    last_answer(&answers, ESQ_FRAME_INFO, &frame);
    must_compute(&data, &result_get);
    must_compute(&coded, &coded_get);
}
