/* Moving values without changing them: RESHAPE, and inputs a CONCATENATION cannot share. */
#include "../esq_windows.h"

void esq_run_copy(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *pixel = esq_row(arena, op->input[0], progress->out_row);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            for (uint32_t c = 0; c < op->output->channels; c++) {
                result[c] = pixel[c];
            }
            pixel += op->input[0]->pixel_bytes;
            result += op->output->pixel_bytes;
        }
    }
}

void esq_run_reshape(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const int8_t *row = esq_row(arena, input, progress->in_row);
    uint32_t place = (uint32_t)progress->in_row * input->width * input->channels;
    for (uint32_t x = 0; x < input->width; x++) {
        for (uint32_t c = 0; c < input->channels; c++, place++) {
            const uint32_t pixel = place / output->channels;
            int8_t *result = esq_row(arena, output, pixel / output->width);
            result[pixel % output->width * output->pixel_bytes + place % output->channels] =
                row[x * input->pixel_bytes + c];
        }
    }
    progress->in_row++;
    progress->out_row = (uint16_t)(place / ((uint32_t)output->width * output->channels));
}
