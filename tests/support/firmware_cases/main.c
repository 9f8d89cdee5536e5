/* Runs many small models, each over its images, and writes every output to the serial line. */
#include "cases.h"
#include "edgesq.h"
#include "esq_model.h"
#include "esq_port.h"

static _Alignas(16) int8_t arena[ESQ_CASES_ARENA_BYTES];

static struct esq_engine engine;

static void run(const struct esq_case *one, const int8_t *image) {
    esq_start(&engine);
    for (enum esq_status status = ESQ_MORE; status == ESQ_MORE;) {
        status = esq_step(&engine);
        if (status == ESQ_NEEDS_ROW) {
            int8_t *row = esq_input_row(&engine);
            for (uint32_t i = 0; i < esq_input_row_bytes(&engine); i++) {
                row[i] = *image++;
            }
            status = esq_push_row(&engine);
        }
    }
    for (uint32_t index = 0; index < one->outputs; index++) {
        const struct esq_slot *slot = one->model->observed[index];
        for (uint32_t y = 0; y < slot->height; y++) {
            esq_port_write((const uint8_t *)esq_row(arena, slot, y),
                           (uint32_t)slot->width * slot->channels);
        }
    }
}

int main(void) {
    esq_port_init();
    for (uint32_t index = 0; index < ESQ_CASES; index++) {
        const struct esq_case *one = &esq_cases[index];
        if (esq_init(&engine, one->model, arena, sizeof arena) != ESQ_DONE) {
            continue;
        }
        for (uint32_t image = 0; image < one->images; image++) {
            run(one, one->inputs + image * one->image_bytes);
        }
    }
    for (;;) {
        esq_port_idle();
    }
}
