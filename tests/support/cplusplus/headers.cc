// Every public header, as a C++ program takes them; runs the model over an image of zeros.
#include "edgesq.h"
#include "esq_app.h"
#include "esq_crc32.h"
#include "esq_dsp_ops.h"
#include "esq_fused.h"
#include "esq_int16_ops.h"
#include "esq_model.h"
#include "esq_mve_ops.h"
#include "esq_ops.h"
#include "esq_port.h"
#include "esq_scalar_ops.h"
#include "esq_sequence.h"
#include "esq_streamed.h"
#include "esq_values.h"
#include "person_model.h"

namespace {
alignas(16) int8_t arena[PERSON_MODEL_ARENA_BYTES];
}

int main() {
    esq_engine engine;
    if (esq_init(&engine, &person_model, arena, sizeof arena) != ESQ_DONE) {
        return 1;
    }
    esq_status status = ESQ_MORE;
    while (status == ESQ_MORE) {
        status = esq_step(&engine);
        if (status == ESQ_NEEDS_ROW) {
            int8_t *row = esq_input_row(&engine);
            for (uint32_t i = 0; i < PERSON_MODEL_INPUT_WIDTH * PERSON_MODEL_INPUT_CHANNELS; i++) {
                row[i] = 0;
            }
            status = esq_push_row(&engine);
        }
    }
    uint32_t bytes = 0;
    return status != ESQ_DONE || esq_observed(&engine, 0, &bytes) == nullptr || bytes == 0;
}
