/* CONV_2D on the DSP extension whose weights come from a stream: a tile of channels is decoded,
 * then used for all rows of the band. Input values are unpacked once for each tile, which costs as
 * much as two channels do: tiles are as large as the plan has room for.
 */
#include "../esq_stream.h"
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

/* A tile at work. */
struct tile {
    struct esq_bits decoder;
    struct esq_conv2d_dsp conv; /* for this tile alone */
    uint32_t first;
    uint32_t channels;
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* Decodes the next `channels` channels. */
static void decode_tile(const struct esq_op *op, const struct esq_conv2d_dsp *params,
                        const struct esq_streamed *streamed, int8_t *arena, struct tile *tile) {
    uint32_t *weights = esq_work_at(op, arena, streamed->weights_offset_bytes);
    const uint32_t even = (tile->channels + 1u) & ~1u;
    esq_decode(&tile->decoder, weights, even * streamed->channel_bytes / 4u);
    tile->conv = *params;
    tile->conv.weights = weights;
    if (streamed->channels.fields) {
        int32_t *rows = esq_work_at(op, arena, streamed->rows_offset_bytes);
        esq_dsp_enter_rows(&streamed->channels, tile->first, tile->channels, rows);
        tile->conv.table = rows;
    } else {
        tile->conv.table += tile->first / 2u * streamed->table_row;
    }
    tile->conv.multiplier += params->multiplier ? tile->first : 0;
    tile->conv.shift += params->shift ? tile->first : 0;
    tile->conv.rescaling += params->rescaling ? tile->first : 0;
}

/* Stands before the first tile. */
static void begin(const struct esq_op *op, const struct esq_streamed *streamed, int8_t *arena,
                  struct tile *tile) {
    tile->first = 0;
    tile->channels = 0;
    esq_bits_begin(&tile->decoder, streamed, esq_work_at(op, arena, streamed->table_offset_bytes));
}

/* Decodes the next tile of `channels` channels in all; 0: there is none. */
static int next(const struct esq_op *op, const struct esq_conv2d_dsp *params,
                const struct esq_streamed *streamed, int8_t *arena, uint32_t channels,
                struct tile *tile) {
    tile->first += tile->channels;
    tile->channels = at_most(streamed->tile, channels - tile->first);
    if (tile->channels == 0) {
        return 0;
    }
    decode_tile(op, params, streamed, arena, tile);
    return 1;
}

void esq_run_conv2d_dsp_streamed(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    const struct esq_conv2d_dsp_streamed *params = op->params;
    struct esq_dsp_rows rows = {progress->out_row, esq_band_end(op, progress), 0, 0};
    struct tile tile;
    begin(op, &params->streamed, arena, &tile);
    while (next(op, &params->conv, &params->streamed, arena, op->output->channels, &tile)) {
        rows.channel = tile.first;
        rows.channels = tile.channels;
        esq_dsp_compute_rows(&tile.conv, op, arena, &rows);
    }
    progress->out_row = (uint16_t)rows.end;
}

void esq_run_conv2d_reduce_dsp_streamed(const struct esq_op *op, int8_t *arena,
                                        struct esq_progress *progress) {
    const struct esq_conv2d_reduce_dsp_streamed *params = op->params;
    const struct esq_slot *rows = &params->whole.rows;
    const uint32_t end = at_most(rows->height, (uint32_t)progress->in_row + op->band_units);
    int32_t *sums = esq_reduce_begin(op, rows->channels, arena, progress);
    struct tile tile;
    begin(op, &params->streamed, arena, &tile);
    while (next(op, &params->whole.conv, &params->streamed, arena, rows->channels, &tile)) {
        struct esq_dsp_row row = {progress->in_row, rows->width, tile.channels};
        for (; row.row < end; row.row++) {
            esq_dsp_add_row(&tile.conv, op, arena, &row, sums + tile.first);
        }
    }
    while (progress->in_row < end) {
        esq_reduce_end(op, &params->whole.reduce, rows->height, arena, progress);
    }
}

#endif
