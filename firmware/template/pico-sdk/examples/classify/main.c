/* Classifies an image whose rows come from `read_row`: put your camera there. */
#include <stdio.h>

#include "answer.h"
#include "pico/stdlib.h"
#include "sample_model.h"

static uint8_t pixels[SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS];

static void read_row(uint32_t row) {
    for (uint32_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(8u * row + i);
    }
}

int main(void) {
    stdio_init_all();
    esq_give_others();
    for (;;) {
        const uint32_t start_us = time_us_32();
        enum esq_status status = sample_start();
        for (uint32_t row = 0; status == ESQ_NEEDS_ROW; row++) {
            read_row(row);
            status = sample_push_row(pixels);
        }
        if (status != ESQ_DONE) {
            printf("failed: esq_status %d\n", (int)status);
            return 1;
        }
        const uint32_t spent_us = time_us_32() - start_us;
        printf(ESQ_ANSWER_IS " %d in us: %u\n", (int)esq_answer(), (unsigned int)spent_us);
    }
}
