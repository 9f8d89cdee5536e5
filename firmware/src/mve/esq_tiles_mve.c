/* A tile of a CONV_2D on MVE: its weights, decoded. */
#include "../esq_tiles.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_mve.h"

void esq_mve_enter_tile(const void *conv, const struct esq_op *op, const struct esq_tiled *tiled,
                        int8_t *arena, struct esq_tile *tile) {
    const struct esq_streamed *streamed = esq_streamed_of(tiled);
    const struct esq_conv2d_mve *params = conv;
    const uint32_t first = tile->rows.channel;
    const uint32_t quads = (tile->rows.channels + ESQ_MVE_QUAD - 1u) / ESQ_MVE_QUAD;
    struct esq_conv2d_mve *own = &tile->own.mve;
    *own = *params;
    own->weights = esq_tile_weights(op, streamed, arena, tile, quads * streamed->channel_bytes);
    own->table += first / ESQ_MVE_QUAD * ESQ_MVE_TABLE_ROW;
    own->edges += params->edges ? first / ESQ_MVE_QUAD * ESQ_MVE_EDGE_ROW : 0;
    own->rescaling += params->rescaling ? first : 0;
    tile->conv = own;
}

#endif
