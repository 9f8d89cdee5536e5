/* Writes what person_model.h says of the model, a line for each number, reals in hex. */
#include <stdio.h>

#include "person_model.h"

#define ESQ_TENSOR(name)                                                                           \
    do {                                                                                           \
        printf(#name " %u %u %u %u %.13a %d\n", PERSON_MODEL_##name##_HEIGHT,                      \
               PERSON_MODEL_##name##_WIDTH, PERSON_MODEL_##name##_CHANNELS,                        \
               PERSON_MODEL_##name##_COUNT, (double)PERSON_MODEL_##name##_SCALE,                   \
               PERSON_MODEL_##name##_ZERO_POINT);                                                  \
    } while (0)

int main(void) {
    static const double mean[] = PERSON_MODEL_PIXEL_MEAN;
    ESQ_TENSOR(INPUT);
    ESQ_TENSOR(OUTPUT);
#ifdef PERSON_MODEL_LOGITS_COUNT
    ESQ_TENSOR(LOGITS);
#endif
    printf("INPUT_BYTES %u\n", PERSON_MODEL_INPUT_BYTES);
    printf("PIXEL %s %s %.13a\n", PERSON_MODEL_PIXEL_ORDER, PERSON_MODEL_PIXEL_RESIZE,
           PERSON_MODEL_PIXEL_SCALE);
    for (unsigned i = 0; i < sizeof mean / sizeof *mean; i++) {
        printf("MEAN %a\n", mean[i]);
    }
#ifdef PERSON_MODEL_CLASS_COUNT
    printf("CLASSES %u\n", PERSON_MODEL_CLASS_COUNT);
#endif
    for (int value = -128; value < 128; value++) {
        printf("REAL %a\n", (double)person_dequantize((int8_t)value));
    }
    for (unsigned channel = 0; channel < PERSON_MODEL_INPUT_CHANNELS; channel++) {
        for (unsigned pixel = 0; pixel < 256; pixel++) {
            printf("LEVEL %d\n", person_app.levels[channel][pixel]);
        }
    }
    return 0;
}
