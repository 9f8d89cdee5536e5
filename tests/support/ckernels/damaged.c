/* Exits well where every call of person_model says that its weights in flash are damaged. */
#include "person_model.h"

int main(void) {
    static const uint8_t pixels[PERSON_MODEL_INPUT_BYTES];
    for (int again = 0; again < 2; again++) {
        if (person_classify(pixels) != -(int32_t)ESQ_FAILED || person_start() != ESQ_FAILED ||
            person_run(pixels) != ESQ_FAILED || person_push_row(pixels) != ESQ_BAD_CALL) {
            return 1;
        }
    }
    return 0;
}
