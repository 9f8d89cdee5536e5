/* Moving values without changing them: RESHAPE, and inputs a CONCATENATION cannot share. */
#include "../esq_copy.h"
#include "../esq_windows.h"

/* Values of a row that lie side by side. */
static uint32_t run_of(const struct esq_slot *slot) {
    return slot->pixel_bytes == slot->channels ? (uint32_t)slot->width * slot->channels
                                               : slot->channels;
}

void esq_run_copy(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const int is_gapless = run_of(input) > input->channels && run_of(output) > output->channels;
    const uint32_t bytes = is_gapless ? run_of(output) : output->channels;
    const uint32_t runs = is_gapless ? 1 : output->width;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *from = esq_row(arena, input, progress->out_row);
        int8_t *to = esq_row(arena, output, progress->out_row);
        for (uint32_t k = 0; k < runs; k++) {
            esq_copy(from, bytes, to);
            from += input->pixel_bytes;
            to += output->pixel_bytes;
        }
    }
}

void esq_run_reshape(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const uint32_t in_run = run_of(input);
    const uint32_t out_run = run_of(output);
    const uint32_t out_values = (uint32_t)output->width * output->channels;
    uint32_t left = (uint32_t)input->width * input->channels;
    const uint32_t place = progress->in_row * left;
    const int8_t *from = esq_row(arena, input, progress->in_row);
    uint32_t in_left = in_run;
    uint32_t row = place / out_values;
    uint32_t at = place % out_values; /* in the output's row */
    uint32_t out_left = out_run - at % out_run;
    int8_t *to =
        esq_row(arena, output, row) + at / out_run * output->pixel_bytes + (out_run - out_left);
    while (left > 0) {
        const uint32_t fits = in_left < out_left ? in_left : out_left;
        esq_copy(from, fits, to);
        from += fits;
        to += fits;
        at += fits;
        left -= fits;
        in_left -= fits;
        out_left -= fits;
        if (in_left == 0) {
            in_left = in_run;
            from += input->pixel_bytes - input->channels;
        }
        if (at == out_values) {
            at = 0;
            row++;
            to = left > 0 ? esq_row(arena, output, row) : to;
            out_left = out_run;
        } else if (out_left == 0) {
            out_left = out_run;
            to += output->pixel_bytes - output->channels;
        }
    }
    progress->in_row++;
    progress->out_row = (uint16_t)row;
}
