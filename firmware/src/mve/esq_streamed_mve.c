/* CONV_2D on MVE whose weights come from a stream: a tile of channels is decoded, then used for all
 * rows of the band.
 */
#include "../esq_stream.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_mve.h"

/* A tile at work. */
struct tile {
    struct esq_bits decoder;
    struct esq_conv2d_mve conv; /* for this tile alone */
    uint32_t first;
    uint32_t channels;
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

static void begin(const struct esq_op *op, const struct esq_streamed *streamed, int8_t *arena,
                  struct tile *tile) {
    tile->first = 0;
    tile->channels = 0;
    esq_bits_begin(&tile->decoder, streamed, esq_work_at(op, arena, streamed->table_offset_bytes));
}

/* Decodes the next tile of `channels` channels in all; 0: there is none. */
static int next(const struct esq_op *op, const struct esq_conv2d_mve *params,
                const struct esq_streamed *streamed, int8_t *arena, uint32_t channels,
                struct tile *tile) {
    tile->first += tile->channels;
    tile->channels = at_most(streamed->tile, channels - tile->first);
    if (tile->channels == 0) {
        return 0;
    }
    void *weights = esq_work_at(op, arena, streamed->weights_offset_bytes);
    const uint32_t quads = (tile->channels + ESQ_MVE_QUAD - 1u) / ESQ_MVE_QUAD;
    esq_decode(&tile->decoder, weights, quads * streamed->channel_bytes);
    tile->conv = *params;
    tile->conv.weights = weights;
    tile->conv.table += tile->first / ESQ_MVE_QUAD * params->table_row;
    tile->conv.rescaling += params->rescaling ? tile->first : 0;
    return 1;
}

void esq_run_conv2d_mve_streamed(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    const struct esq_conv2d_mve_streamed *params = op->params;
    struct esq_mve_rows rows = {progress->out_row, esq_band_end(op, progress), 0, 0};
    struct tile tile;
    begin(op, &params->streamed, arena, &tile);
    while (next(op, &params->conv, &params->streamed, arena, op->output->channels, &tile)) {
        rows.channel = tile.first;
        rows.channels = tile.channels;
        esq_mve_compute_rows(&tile.conv, op, arena, &rows);
    }
    progress->out_row = (uint16_t)rows.end;
}

void esq_run_conv2d_reduce_mve_streamed(const struct esq_op *op, int8_t *arena,
                                        struct esq_progress *progress) {
    const struct esq_conv2d_reduce_mve_streamed *params = op->params;
    const struct esq_slot *rows = &params->whole.rows;
    const uint32_t end = at_most(rows->height, (uint32_t)progress->in_row + op->band_units);
    int32_t *sums = esq_reduce_begin(op, rows->channels, arena, progress);
    struct tile tile;
    begin(op, &params->streamed, arena, &tile);
    while (next(op, &params->whole.conv, &params->streamed, arena, rows->channels, &tile)) {
        struct esq_mve_row row = {progress->in_row, rows->width, tile.channels};
        for (; row.row < end; row.row++) {
            esq_mve_add_row(&tile.conv, op, arena, &row, sums + tile.first);
        }
    }
    while (progress->in_row < end) {
        esq_reduce_end(op, &params->whole.reduce, rows->height, arena, progress);
    }
}

#endif
