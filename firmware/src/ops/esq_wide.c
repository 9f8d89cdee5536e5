/* A convolution some of whose channels have weights of more than 8 bits: a kernel of any family
 * computes all channels by weights cut to int8, then these channels are computed anew.
 * Mirror: edgesq/codegen/params/wide.py.
 */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* Of one channel under the window whose first tap is at column `left`. */
static int32_t sum_at(const struct esq_wide *wide, const struct esq_wide_channel *channel,
                      const int16_t *weight, const int8_t *const *rows,
                      const struct esq_slot *input, int32_t left) {
    int32_t sum = channel->bias;
    for (uint32_t y = 0; y < wide->window.height; y++) {
        int32_t column = left;
        for (uint32_t tap = 0; tap < wide->window.width; tap++) {
            if (rows[y] && column >= 0 && column < input->width) {
                const int8_t *pixel =
                    rows[y] + (uint32_t)column * input->pixel_bytes + channel->source;
                for (uint32_t c = 0; c < wide->depth; c++) {
                    sum += (pixel[c] - wide->input_zp) * weight[c];
                }
            }
            column += wide->dilation_w;
            weight += wide->depth;
        }
    }
    return sum;
}

static int32_t scaled_at(const struct esq_wide *wide, uint32_t n, int32_t sum) {
    if (wide->rescaling) {
        return esq_rescale(sum, wide->rescaling[n].multiplier, wide->rescaling[n].limit);
    }
    return esq_requantize(sum, wide->channels[n].multiplier, wide->channels[n].shift);
}

static void compute_row(const struct esq_wide *wide, const struct esq_op *op,
                        const int8_t *const *rows, int8_t *result) {
    const uint32_t size = (uint32_t)wide->window.height * wide->window.width * wide->depth;
    for (uint32_t x = 0; x < op->output->width; x++) {
        const int32_t left = (int32_t)(x * wide->window.stride_w) - wide->window.pad_left;
        for (uint32_t n = 0; n < wide->count; n++) {
            const struct esq_wide_channel *channel = &wide->channels[n];
            const int32_t sum =
                sum_at(wide, channel, wide->weights + n * size, rows, op->input[0], left);
            const int32_t scaled = scaled_at(wide, n, sum);
            result[channel->number] =
                esq_clamp(scaled + wide->output_zp, wide->clamp_min, wide->clamp_max);
        }
        result += op->output->pixel_bytes;
    }
}

void esq_run_wide(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_wide *wide = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct esq_op narrow = *op;
    narrow.params = wide->params;
    uint32_t row = progress->out_row;
    wide->run(&narrow, arena, progress);
    for (; row < progress->out_row; row++) {
        esq_rows_under(&wide->window, op->input[0], arena, row, rows);
        compute_row(wide, op, rows, esq_row(arena, op->output, row));
    }
}
