/* CONV_2D whose weights come from a stream, portable: a tile of channels is decoded, then used for
 * all rows of the band. Mirror: edgesq/compress/stream.py.
 */
#include "../esq_stream.h"
#include "../esq_windows.h"

/* A tile at work. */
struct tile {
    struct esq_bits decoder;
    struct esq_conv2d conv; /* for this tile alone */
    struct esq_slot output; /* its channels */
    uint32_t first;
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

static void begin(const struct esq_op *op, const struct esq_streamed *streamed,
                  const struct esq_slot *output, int8_t *arena, struct tile *tile) {
    tile->first = 0;
    tile->output = *output;
    tile->output.channels = 0;
    esq_bits_begin(&tile->decoder, streamed, esq_work_at(op, arena, streamed->table_offset_bytes));
}

/* Decodes the next tile of `channels` channels in all; 0: there is none. */
static int next(const struct esq_op *op, const struct esq_conv2d *params,
                const struct esq_streamed *streamed, int8_t *arena, uint32_t channels,
                struct tile *tile) {
    tile->first += tile->output.channels;
    const uint32_t some = at_most(streamed->tile, channels - tile->first);
    if (some == 0) {
        return 0;
    }
    void *weights = esq_work_at(op, arena, streamed->weights_offset_bytes);
    esq_decode(&tile->decoder, weights, (some * streamed->channel_bytes + 3u) / 4u);
    tile->output.channels = (uint16_t)some;
    tile->conv = *params;
    tile->conv.weights = weights;
    tile->conv.bias += tile->first;
    tile->conv.multiplier += tile->first;
    tile->conv.shift += tile->first;
    return 1;
}

void esq_run_conv2d_streamed(const struct esq_op *op, int8_t *arena,
                             struct esq_progress *progress) {
    const struct esq_conv2d_streamed *params = op->params;
    const uint32_t end = esq_band_end(op, progress);
    const struct esq_columns all = {0, op->output->width};
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct tile tile;
    begin(op, &params->streamed, op->output, arena, &tile);
    while (next(op, &params->conv, &params->streamed, arena, op->output->channels, &tile)) {
        for (uint32_t y = progress->out_row; y < end; y++) {
            esq_rows_under(&params->conv.window, op->input[0], arena, y, rows);
            esq_conv2d_s8(&tile.conv, op->input[0], rows, &tile.output, all,
                          esq_row(arena, op->output, y) + tile.first);
        }
    }
    progress->out_row = (uint16_t)end;
}

static void add_row(const struct tile *tile, const struct esq_op *op, int8_t *arena, uint32_t row,
                    int32_t *sums) {
    int8_t *pixels = arena + op->work_offset_bytes;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    esq_rows_under(&tile->conv.window, op->input[0], arena, row, rows);
    for (uint32_t x = 0; x < tile->output.width; x++) {
        esq_conv2d_s8(&tile->conv, op->input[0], rows, &tile->output,
                      (struct esq_columns){x, x + 1}, pixels);
        for (uint32_t c = 0; c < tile->output.channels; c++) {
            sums[c] += pixels[c];
        }
    }
}

void esq_run_conv2d_reduce_streamed(const struct esq_op *op, int8_t *arena,
                                    struct esq_progress *progress) {
    const struct esq_conv2d_reduce_streamed *params = op->params;
    const struct esq_slot *rows = &params->whole.rows;
    const uint32_t end = at_most(rows->height, (uint32_t)progress->in_row + op->band_units);
    int32_t *sums = esq_reduce_begin(op, rows->channels, arena, progress);
    struct tile tile;
    begin(op, &params->streamed, rows, arena, &tile);
    while (next(op, &params->whole.conv, &params->streamed, arena, rows->channels, &tile)) {
        for (uint32_t y = progress->in_row; y < end; y++) {
            add_row(&tile, op, arena, y, sums + tile.first);
        }
    }
    while (progress->in_row < end) {
        esq_reduce_end(op, &params->whole.reduce, rows->height, arena, progress);
    }
}
