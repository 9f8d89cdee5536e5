// Classifies an image whose rows come from `read_row`: put your camera there.
#include <Arduino.h>
#include <edgesq.h>
#include <sample_model.h>

#include "classify.h"

static int read_row(void *source, uint8_t *pixels) {
    uint32_t *row = static_cast<uint32_t *>(source);
    for (uint32_t i = 0; i < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS; i++) {
        pixels[i] = static_cast<uint8_t>(8 * *row + i);
    }
    (*row)++;
    return 0;
}

void setup() { Serial.begin(115200); }

void loop() {
    uint32_t row = 0;
    const unsigned long start_us = micros();
    const int32_t index = classify(read_row, &row);
    const unsigned long spent_us = micros() - start_us;
    Serial.print("class ");
    Serial.print(static_cast<long>(index));
    Serial.print(" in us: ");
    Serial.println(spent_us);
}
