/* Winograd's F(4, 3) with weights from a stream: transformed weights are four times as many bytes,
 * so they are made on the board, four channels at a time, and used for all tiles of a band of rows.
 * The band's input is transformed once. Mirror: edgesq/kernels/dsp/winograd.py.
 */
#include "../esq_channels.h"
#include "../esq_stream.h"
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_winograd_dsp.h"

/* A band at work. */
struct band {
    const struct esq_winograd *params;
    const struct esq_op *op;
    int8_t *arena;
    uint32_t first; /* output row */
    uint32_t end;
    uint32_t row_words;  /* of one of a tile's six values, under one input row */
    uint32_t tile_steps; /* from one of its six values to the next */
    uint32_t *tiles;
};

static void transform_input(const struct band *band) {
    const struct esq_slot *input = band->op->input[0];
    const struct esq_window *window = &band->params->window;
    const uint32_t rows = band->tile_steps / band->row_words;
    const uint32_t top = band->first * window->stride_h - window->pad_top; /* wraps above */
    for (uint32_t y = 0; y < rows; y++) {
        const int inside = top + y < input->height;
        const int8_t *row = inside ? esq_row(band->arena, input, top + y) : 0;
        uint32_t *to = band->tiles + y * band->row_words;
        for (uint32_t x = 0; x < band->op->output->width; x += ESQ_WINOGRAD_PIXELS) {
            const struct esq_winograd_place place = {x, band->tile_steps};
            esq_winograd_transform(band->params, input, row, &place, to);
            to += ESQ_WINOGRAD_COLUMNS * band->tile_steps;
        }
    }
}

/* Four output channels from `channel` on. */
static void compute_block(const struct band *band, const uint32_t *weights, const int32_t *table,
                          uint32_t channel) {
    const struct esq_slot *output = band->op->output;
    const uint32_t steps = band->params->steps;
    const uint32_t gap_bytes = (band->tile_steps - steps) * (uint32_t)sizeof *weights;
    const uint32_t next_row = band->params->window.stride_h * band->row_words;
    const uint32_t *tiles = band->tiles;
    for (uint32_t y = band->first; y < band->end; y++) {
        int8_t *result = esq_row(band->arena, output, y) + channel;
        const uint32_t *tile = tiles;
        for (uint32_t x = 0; x < output->width; x += ESQ_WINOGRAD_PIXELS) {
            uint32_t sums[ESQ_WINOGRAD_COLUMNS * ESQ_WINOGRAD_CHANNELS];
            esq_dsp_winograd(tile, weights, sums, steps / 8u, gap_bytes);
            esq_winograd_finish(sums, table, output->width - x, output->pixel_bytes, result);
            tile += ESQ_WINOGRAD_COLUMNS * band->tile_steps;
            result += ESQ_WINOGRAD_PIXELS * output->pixel_bytes;
        }
        tiles += next_row;
    }
}

/* The next four channels' weights, some kernel rows of a channel at a time. */
static void decode_block(struct esq_bits *bits, const struct esq_winograd *params, uint32_t *raw,
                         uint32_t *weights) {
    const struct esq_streamed *streamed = params->streamed;
    const uint32_t step_bytes = params->steps * ESQ_WINOGRAD_CHANNELS * (uint32_t)sizeof *weights;
    const uint32_t pieces = params->window.height / streamed->kernel_rows;
    const uint32_t steps = params->steps / pieces;
    for (uint32_t c = 0; c < ESQ_WINOGRAD_CHANNELS; c++) {
        uint32_t *to = weights + c;
        for (uint32_t piece = 0; piece < pieces; piece++) {
            esq_decode(bits, raw, streamed->channel_bytes / pieces / 4u);
            esq_dsp_winograd_weights(raw, steps / 2u, step_bytes, to);
            to += steps * ESQ_WINOGRAD_CHANNELS;
        }
    }
}

/* A block's row of the table. */
static void enter_row(const struct esq_winograd *params, uint32_t first, int32_t *row) {
    const struct esq_channels channels = params->streamed->tiled.channels; /* no row can alias it */
    const int32_t zp = params->output_zp;
    int32_t *end = row + ESQ_WINOGRAD_CHANNELS;
    for (uint32_t c = 0; c < ESQ_WINOGRAD_CHANNELS; c++) {
        const struct esq_channel channel = esq_channel_at(&channels, first + c);
        row[c] = channel.bias;
        end[0] = channel.multiplier;
        end[1] = (1 << channel.shift >> 1) + zp * (1 << channel.shift);
        end[2] = channel.shift;
        end += 3;
    }
}

void esq_run_winograd_dsp_streamed(const struct esq_op *op, int8_t *arena,
                                   struct esq_progress *progress) {
    const struct esq_winograd *params = op->params;
    const struct esq_streamed *streamed = params->streamed;
    uint32_t *weights = esq_work_at(op, arena, streamed->weights_offset_bytes);
    uint32_t *raw = esq_work_at(op, arena, streamed->tiled.rows_offset_bytes);
    struct band band = {params, op, arena, progress->out_row, esq_band_end(op, progress), 0, 0, 0};
    const uint32_t rows =
        (band.end - band.first - 1u) * params->window.stride_h + params->window.height;
    struct esq_bits decoder;
    band.row_words = op->input[0]->channels / 2u;
    band.tile_steps = rows * band.row_words;
    band.tiles = esq_work_at(op, arena, 0);
    transform_input(&band);
    esq_bits_begin(&decoder, streamed, esq_work_at(op, arena, streamed->table_offset_bytes));
    for (uint32_t c = 0; c < op->output->channels; c += ESQ_WINOGRAD_CHANNELS) {
        int32_t row[ESQ_WINOGRAD_ROW];
        decode_block(&decoder, params, raw, weights);
        const int32_t *table = params->table + c / ESQ_WINOGRAD_CHANNELS * ESQ_WINOGRAD_ROW;
        if (streamed->tiled.channels.fields) {
            enter_row(params, c, row);
            table = row;
        }
        compute_block(&band, weights, table, c);
    }
    progress->out_row = (uint16_t)band.end;
}

#endif
