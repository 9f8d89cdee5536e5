/* The way through a band that all operators on single int16 values share. */
#include "../esq_arithmetic16.h"

void esq_band_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress,
                  esq_take_s16_fn *take) {
    const struct esq_slot *output = op->output;
    const uint32_t inputs = op->input[1] ? 2 : 1;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const int8_t *pixels[2] = {0, 0};
        int is_gapless = output->pixel_bytes == output->channels;
        for (uint32_t k = 0; k < inputs; k++) {
            pixels[k] = esq_row(arena, op->input[k], progress->out_row);
            is_gapless = is_gapless && op->input[k]->pixel_bytes == output->channels;
        }
        int8_t *result = esq_row(arena, output, progress->out_row);
        const uint32_t runs = is_gapless ? 1 : output->width;
        const uint32_t count = esq_values_s16(output) * (is_gapless ? output->width : 1u);
        for (uint32_t x = 0; x < runs; x++) {
            take(op->params, pixels, count, result);
            for (uint32_t k = 0; k < inputs; k++) {
                pixels[k] += op->input[k]->pixel_bytes;
            }
            result += output->pixel_bytes;
        }
    }
}
