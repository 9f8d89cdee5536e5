/* One frame through the network, row by row. */
#ifndef ESQ_SEE_H
#define ESQ_SEE_H

#include "answer.h"
#include "camera_rows.h"
#include "sample_model.h"

#if SAMPLE_MODEL_INPUT_CHANNELS != 3 && SAMPLE_MODEL_INPUT_CHANNELS != 1
#error "the network takes neither colour nor grey: write its rows in place of esq_camera_row"
#endif

static inline enum esq_status esq_see(const struct esq_camera_frame *frame) {
    static const struct esq_camera_input input = {
        SAMPLE_MODEL_INPUT_HEIGHT, SAMPLE_MODEL_INPUT_WIDTH, SAMPLE_MODEL_INPUT_CHANNELS};
    static uint8_t row[SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS];
    esq_give_others();
    enum esq_status status = sample_start();
    for (uint32_t y = 0; status == ESQ_NEEDS_ROW; y++) {
        esq_camera_row(frame, &input, y, row);
        status = sample_push_row(row);
    }
    return status;
}

#endif
