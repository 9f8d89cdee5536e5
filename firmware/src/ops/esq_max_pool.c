/* MAX_POOL_2D as a running maximum. Mirror: edgesq/reference/pool.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* Takes one input row into one output row; `begin` where it is the window's first row. */
static void take_row(const struct esq_pool *params, const struct esq_slot *input, const int8_t *row,
                     const struct esq_slot *output, int8_t *result, int begin) {
    for (uint32_t x = 0; x < output->width; x++) {
        const struct esq_taps taps = esq_taps_at(&params->window, input, x);
        for (uint32_t c = 0; c < output->channels; c++) {
            const int8_t *value = row + taps.offset_bytes + c;
            int32_t maximum = begin ? INT8_MIN : result[c];
            for (uint32_t tap = 0; tap < taps.count; tap++) {
                maximum = *value > maximum ? *value : maximum;
                value += input->pixel_bytes;
            }
            result[c] = esq_clamp(maximum, params->clamp_min, params->clamp_max);
        }
        result += output->pixel_bytes;
    }
}

void esq_run_max_pool(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_pool *params = op->params;
    const struct esq_window *window = &params->window;
    for (uint32_t end = esq_input_band_end(op, progress); progress->in_row < end; progress->in_row++) {
        const int32_t row = progress->in_row;
        const int8_t *values = esq_row(arena, op->input[0], progress->in_row);
        for (int32_t y = progress->out_row; y < op->output->height; y++) {
            const int32_t top = y * window->stride_h - window->pad_top;
            if (top > row) {
                break;
            }
            const int32_t bottom = top + window->height - 1;
            take_row(params, op->input[0], values, op->output, esq_row(arena, op->output, (uint32_t)y),
                     row == top || row == 0);
            if (row == bottom || row == op->input[0]->height - 1) {
                progress->out_row++;
            }
        }
    }
}
