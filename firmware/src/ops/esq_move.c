/* Moving values without changing them: PAD, SLICE, STRIDED_SLICE, RESIZE_NEAREST_NEIGHBOR,
 * SPACE_TO_DEPTH, DEPTH_TO_SPACE, GATHER, TRANSPOSE. Mirror: edgesq/reference/move.py.
 */
#include "../esq_copy.h"
#include "../esq_windows.h"

static void fill(int8_t value, uint32_t bytes, int8_t *to) {
    for (; bytes > 0; bytes--) {
        *to++ = value;
    }
}

/* One output pixel from the input's; NULL where it lies outside. */
static void pick_pixel(const struct esq_pick *params, const int8_t *pixel, uint32_t channels,
                       int8_t *result) {
    if (!pixel) {
        fill(params->fill, channels, result);
        return;
    }
    fill(params->fill, params->before, result);
    result += params->before;
    if (params->channels) {
        for (uint32_t c = 0; c < params->count; c++) {
            result[c] = pixel[params->channels[c]];
        }
    } else if (params->step == 1) {
        esq_copy(pixel + params->first, params->count, result);
    } else {
        pixel += params->first;
        for (uint32_t c = 0; c < params->count; c++) {
            result[c] = pixel[c * params->step];
        }
    }
    fill(params->fill, channels - params->before - params->count, result + params->count);
}

void esq_run_pick(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_pick *params = op->params;
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const uint32_t source = params->rows[progress->out_row];
        const int8_t *row = source == ESQ_OUTSIDE ? 0 : esq_row(arena, input, source);
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t x = 0; x < output->width; x++) {
            const uint32_t column = params->columns[x];
            const int inside = row && column != ESQ_OUTSIDE;
            pick_pixel(params, inside ? row + column * input->pixel_bytes : 0, output->channels,
                       result);
            result += output->pixel_bytes;
        }
    }
}

/* Row `y` of the squares that make an output row. */
static void gather_row(const struct esq_slot *input, const int8_t *pixel, uint32_t block,
                       uint32_t y, const struct esq_slot *output, int8_t *result) {
    result += y * block * input->channels;
    for (uint32_t x = 0; x < output->width; x++) {
        for (uint32_t across = 0; across < block; across++) {
            esq_copy(pixel, input->channels, result + across * input->channels);
            pixel += input->pixel_bytes;
        }
        result += output->pixel_bytes;
    }
}

void esq_run_space_to_depth(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const uint32_t block = (uint32_t)input->height / output->height;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        int8_t *result = esq_row(arena, output, progress->out_row);
        for (uint32_t y = 0; y < block; y++) {
            const int8_t *row = esq_row(arena, input, progress->out_row * block + y);
            gather_row(input, row, block, y, output, result);
        }
    }
}

void esq_run_depth_to_space(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const uint32_t block = (uint32_t)output->height / input->height;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const uint32_t y = progress->out_row % block;
        const int8_t *pixel = esq_row(arena, input, progress->out_row / block);
        int8_t *result = esq_row(arena, output, progress->out_row);
        pixel += y * block * output->channels;
        for (uint32_t x = 0; x < input->width; x++) {
            for (uint32_t across = 0; across < block; across++) {
                esq_copy(pixel + across * output->channels, output->channels, result);
                result += output->pixel_bytes;
            }
            pixel += input->pixel_bytes;
        }
    }
}

void esq_run_transpose(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const uint8_t *order = ((const struct esq_transpose *)op->params)->order;
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    const uint32_t steps[3] = {input->row_bytes, input->pixel_bytes, 1};
    const uint32_t down = steps[order[0]], across = steps[order[1]], deep = steps[order[2]];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        const uint32_t y = progress->out_row;
        const int8_t *from =
            order[0] == 0 ? esq_row(arena, input, y) : esq_row(arena, input, 0) + y * down;
        int8_t *result = esq_row(arena, output, y);
        for (uint32_t x = 0; x < output->width; x++) {
            if (deep == 1) {
                esq_copy(from, output->channels, result);
            } else {
                const int8_t *value = from;
                for (uint32_t c = 0; c < output->channels; c++) {
                    result[c] = *value;
                    value += deep;
                }
            }
            from += across;
            result += output->pixel_bytes;
        }
    }
}
