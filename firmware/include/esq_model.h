/* What generated data looks like: a network as tables that the runtime replays. */
#ifndef ESQ_MODEL_H
#define ESQ_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weights and tables that the plan wants in RAM, because the board's flash is slow. A project whose
 * start-up copies such a section tells its name by ESQ_RAM_SECTION, as pico-sdk's
 * ".time_critical.esq"; elsewhere they stay in flash, and only time is lost. */
#ifdef ESQ_RAM_SECTION
#define ESQ_IN_RAM __attribute__((section(ESQ_RAM_SECTION)))
#else
#define ESQ_IN_RAM
#endif

/* Windows of more rows of taps are refused at export. */
#define ESQ_MAX_WINDOW_ROWS 32

/* Schedule entries that are not an operator. */
#define ESQ_STEP_FAR 253   /* an operator's number follows, in two bytes, the high one first */
#define ESQ_STEP_INPUT 254 /* takes the next row of the inputs */
#define ESQ_STEP_END 255

/* Where a tensor lives: int8 [height, width, channels], of which a ring holds the newest rows. */
struct esq_slot {
    uint32_t offset_bytes; /* from the arena's start to ring row 0, pixel 0, channel 0 */
    uint32_t row_bytes;    /* from one ring row to the next */
    uint16_t ring_rows;
    uint16_t height;
    uint16_t width;
    uint16_t channels;
    uint16_t pixel_bytes; /* from one pixel to the next; > channels inside a concatenation */
    uint16_t row_offset;  /* rows of its ring's tensor above it, inside a concatenation */
};

/* A sliding window, in pixels. */
struct esq_window {
    uint16_t height;
    uint16_t width;
    uint16_t stride_h;
    uint16_t stride_w;
    uint16_t pad_top;
    uint16_t pad_left;
    uint16_t dilation_h; /* rows from tap to tap; columns are apart in struct esq_phases alone */
};

/* How far an operator is. */
struct esq_progress {
    uint16_t in_row;  /* next input row, of an operator that accumulates */
    uint16_t out_row; /* next output row; of a running maximum the row it goes into */
};

/* A column range [first, end) of an output row. */
struct esq_columns {
    uint32_t first;
    uint32_t end;
};

struct esq_op {
    /* Takes one step: a band of rows, or one row into what is accumulated. */
    void (*run)(const struct esq_op *op, int8_t *arena, struct esq_progress *progress);
    const void *params;
    const struct esq_slot *input[2];
    const struct esq_slot *output;
    uint32_t
        sums_offset_bytes; /* int32 per value of an output row, kept through the image; or state,
                                   kept longer */
    uint32_t work_offset_bytes; /* for one step */
    uint16_t band_units;        /* output rows per step */
    uint8_t takes_maximum;      /* 1: a running maximum, whose params begin with its window */
};

/* What takes a step, as `run` of struct esq_op does. */
typedef void esq_run_fn(const struct esq_op *op, int8_t *arena, struct esq_progress *progress);

/* Weights of an operator as codes of few bits; edgesq/compress/stream.py says how. */
struct esq_stream {
    const uint8_t *content; /* [n_bytes], and 4 of padding behind */
    uint32_t n_bytes;
    uint32_t crc32; /* of n_bytes */
    uint16_t op;    /* whose weights they are */
};

/* Memory of an operator that keeps its values from one image to the next. */
struct esq_state {
    uint32_t offset_bytes; /* from the arena's start */
    uint32_t bytes;
    int8_t value; /* of each byte after a reset */
};

struct esq_model {
    const struct esq_op *ops;
    const uint8_t *schedule;
    const struct esq_slot *input;           /* the image */
    const struct esq_slot *const *inputs;   /* in the order in which their rows are taken */
    const struct esq_slot *const *observed; /* outputs, then the logits where a softmax follows */
    uint32_t arena_bytes;
    uint32_t progress_offset_bytes;
    uint16_t op_count;
    uint8_t input_count;
    uint8_t whole_inputs; /* that come whole, before a row of each of the others in turn */
    uint16_t observed_count;
    uint16_t stream_count;
    const struct esq_stream *const *streams;
    uint16_t state_count;
    const struct esq_state *states;
};

/* First byte of a tensor's row in its ring. */
static inline int8_t *esq_row(int8_t *arena, const struct esq_slot *slot, uint32_t row) {
    return arena + slot->offset_bytes +
           (row + slot->row_offset) % slot->ring_rows * slot->row_bytes;
}

#ifdef __cplusplus
}
#endif

#endif
