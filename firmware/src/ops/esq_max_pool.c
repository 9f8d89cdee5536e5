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

/* First output row whose window holds an input row. */
static int32_t first_window(const struct esq_window *window, int32_t row) {
    const int32_t past = row + window->pad_top - window->height + 1;
    return past <= 0 ? 0 : (past + window->stride_h - 1) / window->stride_h;
}

void esq_max_pool_step(const struct esq_op *op, int8_t *arena, struct esq_progress *progress,
                       esq_take_row_fn *take) {
    const struct esq_pool *params = op->params;
    const struct esq_window *window = &params->window;
    const int32_t top = progress->out_row * window->stride_h - window->pad_top;
    const int32_t first = top < 0 ? 0 : top;
    if (progress->in_row < first) {
        progress->in_row = (uint16_t)first; /* rows between windows */
    }
    take(params, op->input[0], esq_row(arena, op->input[0], progress->in_row), op->output,
         esq_row(arena, op->output, progress->out_row), progress->in_row == first);
    const int32_t next_top = top + window->stride_h;
    const int32_t last = op->output->height - 1;
    if (progress->out_row < last && next_top <= progress->in_row) {
        progress->out_row++; /* the same input row begins the next window */
        return;
    }
    progress->in_row++;
    const int32_t holding = first_window(window, progress->in_row);
    progress->out_row = (uint16_t)(holding > last ? last : holding);
}

void esq_run_max_pool(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_max_pool_step(op, arena, progress, take_row);
}
