/* Runs person_model, whose inputs or outputs are several, as an application does.
 *
 * In: per image its uint8 pixels, then the int8 values of the other inputs in the header's order.
 * Out: per image the int8 values of all outputs, of the image as a whole and then row by row. The
 * exit code says which promise of person_model.h is broken.
 */
#include <stdio.h>

#include "person_model.h"

static const uint32_t shapes[][3] = PERSON_MODEL_INPUT_SHAPES;
static const uint32_t counts[] = OUTPUT_COUNTS;

#define INPUTS (sizeof shapes / sizeof *shapes)
#define OUTPUTS (sizeof counts / sizeof *counts)

static uint8_t pixels[PERSON_MODEL_INPUT_BYTES];

static size_t values_of(size_t input) {
    return (size_t)shapes[input][0] * shapes[input][1] * shapes[input][2];
}

static int give(void) {
#if MODEL_INPUTS > 1
    static int8_t others[INPUTS][PERSON_MODEL_INPUT_BYTES];
    for (size_t input = 0; input < INPUTS; input++) {
        const size_t count = values_of(input);
        if (input != IMAGE && fread(others[input], 1, count, stdin) != count) {
            return 2;
        }
        if (input != IMAGE) {
            person_set_input((uint32_t)input, others[input]);
        }
    }
    person_set_input(INPUTS, others[0]); /* there is none of this number */
#endif
    return 0;
}

static int answer(enum esq_status status) {
    if (status != ESQ_DONE) {
        return 3;
    }
#if MODEL_OUTPUTS > 1
    if (person_output_of(OUTPUTS) != 0 || person_output_of(0) != person_output()) {
        return 4;
    }
    for (uint32_t number = 0; number < OUTPUTS; number++) {
        fwrite(person_output_of(number), 1, counts[number], stdout);
    }
#else
    fwrite(person_output(), 1, counts[0], stdout);
#endif
    return 0;
}

int main(void) {
    const size_t row = (size_t)shapes[IMAGE][1] * shapes[IMAGE][2];
    const size_t count = values_of(IMAGE);
#if MODEL_INPUTS > 1
    if (person_run(pixels) != ESQ_BAD_CALL) {
        return 1; /* nothing was given */
    }
#endif
    while (fread(pixels, 1, count, stdin) == count) {
        int wrong = give();
        if (wrong == 0) {
            wrong = answer(person_run(pixels));
        }
        enum esq_status status = person_start();
        for (size_t place = 0; place < count && status == ESQ_NEEDS_ROW; place += row) {
            status = person_push_row(pixels + place);
        }
        if (wrong == 0) {
            wrong = answer(status);
        }
        if (wrong != 0) {
            return wrong;
        }
    }
    return 0;
}
