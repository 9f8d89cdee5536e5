/* Prints the class of every raw image on standard input, uint8 [height, width, channels] each. On a
 * board, put your camera in the place of `fread`. */
#include <stdio.h>

#include "answer.h"
#include "sample_model.h"

int main(void) {
    static uint8_t pixels[SAMPLE_MODEL_INPUT_COUNT];
    esq_give_others();
    while (fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels) {
        if (sample_run(pixels) != ESQ_DONE) {
            return 1;
        }
        printf("%d\n", (int)esq_answer());
    }
    return 0;
}
