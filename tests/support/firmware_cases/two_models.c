/* Two models in one firmware: sends the class of the first and the outputs of the second. */
#include "esq_port.h"
#include "measure_model.h"
#include "pictures.h"
#include "person_model.h"

int main(void) {
    esq_port_init();
    const int8_t number = (int8_t)person_classify(person_picture);
    const enum esq_status status = measure_run(measure_picture);
    esq_port_write((const uint8_t *)&number, 1);
    if (status == ESQ_DONE) {
        for (uint32_t i = 0; i < MEASURE_MODEL_OUTPUT_COUNT; i++) {
            const float real = measure_dequantize(measure_output()[i]);
            esq_port_write((const uint8_t *)&real, sizeof real);
        }
    }
    for (;;) {
        esq_port_idle();
    }
}
