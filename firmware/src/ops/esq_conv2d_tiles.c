/* A tile of a portable CONV_2D: its weights, decoded. Mirror: edgesq/compress/stream.py. */
#include "../esq_tiles.h"

void esq_portable_enter_tile(const void *conv, const struct esq_op *op,
                             const struct esq_tiled *tiled, int8_t *arena, struct esq_tile *tile) {
    const struct esq_streamed *streamed = esq_streamed_of(tiled);
    const uint32_t words = (tile->rows.channels * streamed->channel_bytes + 3u) / 4u;
    struct esq_conv2d *own = &tile->own.portable;
    *own = *(const struct esq_conv2d *)conv;
    own->weights = esq_tile_weights(op, streamed, arena, tile, words);
    own->bias += tile->rows.channel;
    own->multiplier += tile->rows.channel;
    own->shift += tile->rows.channel;
    tile->conv = own;
}
