/* Runs person_model over raw images as an application does, whole and row by row, which must agree.
 *
 * In: uint8 [n, height, width, channels]. Out: per image the class (int32, -1 without classes) and
 * the output's real values (float). The exit code says which promise of person_model.h is broken.
 */
#include <stdio.h>
#include <string.h>

#include "person_model.h"

#define ESQ_ROW_BYTES (PERSON_MODEL_INPUT_WIDTH * PERSON_MODEL_INPUT_CHANNELS)

static uint8_t pixels[PERSON_MODEL_INPUT_BYTES];
static int8_t whole[PERSON_MODEL_OUTPUT_COUNT];

static int32_t classified(void) {
#ifdef PERSON_MODEL_CLASS_COUNT
    return person_classify(pixels);
#else
    const enum esq_status status = person_run(pixels);
    return status == ESQ_DONE ? -1 : -(int32_t)status - 1;
#endif
}

static int row_by_row(void) {
    enum esq_status status = person_start();
    for (uint32_t row = 0; row < PERSON_MODEL_INPUT_HEIGHT; row++) {
        if (status != ESQ_NEEDS_ROW) {
            return 3;
        }
        status = person_push_row(pixels + row * ESQ_ROW_BYTES);
    }
    return status == ESQ_DONE ? 0 : 4;
}

int main(void) {
    if (person_push_row(pixels) != ESQ_BAD_CALL) {
        return 1;
    }
    while (fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels) {
        const int32_t number = classified();
        if (person_push_row(pixels) != ESQ_BAD_CALL) {
            return 2;
        }
        memcpy(whole, person_output(), sizeof whole);
        fwrite(&number, sizeof number, 1, stdout);
        for (uint32_t i = 0; i < PERSON_MODEL_OUTPUT_COUNT; i++) {
            const float real = person_dequantize(whole[i]);
            fwrite(&real, sizeof real, 1, stdout);
        }
        /* An image that is given up leaves no trace in the next. */
        (void)person_start();
        (void)person_push_row(pixels);
        const int wrong = row_by_row();
        if (wrong != 0) {
            return wrong;
        }
        if (memcmp(whole, person_output(), sizeof whole) != 0) {
            return 5;
        }
#ifdef PERSON_MODEL_CLASS_COUNT
        if (person_class() != number) {
            return 6;
        }
#endif
    }
    return 0;
}
