/* Prints the class of every raw image on standard input, uint8 [height, width, channels] each. On a
 * board, put your camera in the place of `read_row`. */
#include <stdio.h>

#include "classify.h"
#include "sample_model.h"

static int read_row(void *source, uint8_t *pixels) {
    const size_t row_bytes = SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS;
    return fread(pixels, 1, row_bytes, source) != row_bytes;
}

int main(void) {
    int32_t index;
    while ((index = classify(read_row, stdin)) >= 0) {
        printf("%d\n", (int)index);
    }
    return 0;
}
