// Classifies an image whose rows come from `read_row`: put your camera there.
#include <Arduino.h>
#include <edgesq.h>
#include <sample_model.h>

#include "answer.h"

static uint8_t pixels[SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS];

static void read_row(uint32_t row) {
    for (uint32_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = static_cast<uint8_t>(8 * row + i);
    }
}

void setup() {
    Serial.begin(115200);
    esq_give_others();
}

void loop() {
    const unsigned long start_us = micros();
    esq_status status = sample_start();
    for (uint32_t row = 0; status == ESQ_NEEDS_ROW; row++) {
        read_row(row);
        status = sample_push_row(pixels);
    }
    const unsigned long spent_us = micros() - start_us;
    if (status != ESQ_DONE) {
        Serial.print("failed: esq_status ");
        Serial.println(static_cast<unsigned long>(status));
        while (true) {
            yield();
        }
    }
    Serial.print(ESQ_ANSWER_IS " ");
    Serial.print(static_cast<long>(esq_answer()));
    Serial.print(" in us: ");
    Serial.println(spent_us);
}
