/* Classifies an image whose rows come from `read_row`: put your camera there. */
#include <stdio.h>

#include "classify.h"
#include "esp_timer.h"
#include "sample_model.h"

static int read_row(void *source, uint8_t *pixels) {
    uint32_t *row = source;
    for (uint32_t i = 0; i < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS; i++) {
        pixels[i] = (uint8_t)(8u * *row + i);
    }
    (*row)++;
    return 0;
}

void app_main(void) {
    for (;;) {
        uint32_t row = 0;
        const int64_t start_us = esp_timer_get_time();
        const int32_t index = classify(read_row, &row);
        const int64_t spent_us = esp_timer_get_time() - start_us;
        printf("class %d in us: %u\n", (int)index, (unsigned int)spent_us);
    }
}
