#include "classify.h"

#include "edgesq.h"
#include "sample_model.h"
#include "sample_pixels.h"

static _Alignas(16) uint8_t arena[SAMPLE_MODEL_ARENA_BYTES];

/* Pixels to the model's int8 input, in place of the preprocessing it was trained with. */
static void quantize(const uint8_t *pixels, int8_t *row) {
    for (uint32_t i = 0; i < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS; i++) {
        row[i] = sample_pixels[i % SAMPLE_MODEL_INPUT_CHANNELS][pixels[i]];
    }
}

static int32_t largest(const int8_t *values, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (values[i] > values[best]) {
            best = i;
        }
    }
    return (int32_t)best;
}

int32_t classify(next_row_fn *next_row, void *source) {
    static uint8_t pixels[SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS];
    struct esq_engine engine;
    if (esq_init(&engine, &sample_model, arena, sizeof arena) != ESQ_DONE) {
        return -1;
    }
    for (enum esq_status status = ESQ_MORE; status != ESQ_DONE;) {
        status = esq_step(&engine);
        if (status == ESQ_NEEDS_ROW) {
            if (next_row(source, pixels) != 0) {
                return -1;
            }
            quantize(pixels, esq_input_row(&engine));
            status = esq_push_row(&engine);
        }
    }
    uint32_t count = 0;
    const int8_t *output = esq_observed(&engine, 0, &count);
    return largest(output, count);
}
