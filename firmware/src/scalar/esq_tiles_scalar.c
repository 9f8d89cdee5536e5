/* A tile of a CONV_2D on a scalar core: its weights, decoded. */
#include "../esq_tiles.h"

void esq_scalar_enter_tile(const void *conv, const struct esq_op *op, const struct esq_tiled *tiled,
                           int8_t *arena, struct esq_tile *tile) {
    const struct esq_streamed *streamed = esq_streamed_of(tiled);
    const uint32_t first = tile->rows.channel;
    const uint32_t words = tile->rows.channels * streamed->channel_bytes / 4u;
    struct esq_conv2d_scalar *own = &tile->own.scalar;
    *own = *(const struct esq_conv2d_scalar *)conv;
    own->weights = esq_tile_weights(op, streamed, arena, tile, words);
    own->bias += first;
    own->weight_sums = own->weight_sums ? own->weight_sums + first : 0;
    if (own->shift) {
        own->multiplier += first;
        own->shift += first;
    } else {
        own->rescaling += first;
    }
    tile->conv = own;
}
