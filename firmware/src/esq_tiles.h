/* A convolution some output channels at a time. */
#ifndef ESQ_TILES_H
#define ESQ_TILES_H

#include "esq_dsp_ops.h"
#include "esq_mve_ops.h"
#include "esq_scalar_ops.h"
#include "esq_stream.h"

/* A tile at work. */
struct esq_tile {
    struct esq_rows rows;
    const void *conv;        /* of its channels */
    struct esq_bits decoder; /* with a stream: behind its weights */
    union {                  /* what `conv` is where it is not that of all channels */
        struct esq_conv2d portable;
        struct esq_conv2d_dsp dsp;
        struct esq_conv2d_mve mve;
        struct esq_conv2d_scalar scalar;
    } own;
};

static inline const struct esq_streamed *esq_streamed_of(const struct esq_tiled *tiled) {
    const void *place = tiled; /* its first member */
    return place;
}

/* Decodes the next 4 * `words` weights of a tile, for the first one from the stream's beginning. */
static inline void *esq_tile_weights(const struct esq_op *op, const struct esq_streamed *streamed,
                                     int8_t *arena, struct esq_tile *tile, uint32_t words) {
    void *weights = esq_work_at(op, arena, streamed->weights_offset_bytes);
    if (tile->rows.channel == 0) {
        esq_bits_begin(&tile->decoder, streamed,
                       esq_work_at(op, arena, streamed->table_offset_bytes));
    }
    esq_decode(&tile->decoder, weights, words);
    return weights;
}

#endif
