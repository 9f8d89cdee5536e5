/* Runs pixels through ear_app.c, two images a sequence, and writes each output. */
#include <stdio.h>

#include "ear_model.h"

int main(void) {
    uint8_t pixels[EAR_MODEL_INPUT_BYTES];
    for (uint32_t image = 0; fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels; image++) {
        if (image % 2 == 0) {
            ear_reset_state();
        }
        if (ear_run(pixels) != ESQ_DONE) {
            return 1;
        }
        fwrite(ear_output(), 1, EAR_MODEL_OUTPUT_COUNT, stdout);
    }
    return 0;
}
