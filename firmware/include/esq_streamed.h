/* Convolutions for which something is made while the network runs, a tile of output channels at a
 * time: weights decoded from a stream, or a table of requantization. */
#ifndef ESQ_STREAMED_H
#define ESQ_STREAMED_H

#include "esq_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest index into a table of a stream's codes. */
#define ESQ_STREAM_MAX_TABLE_BITS 11u

/* What a convolution needs per output channel, a field of bits for each, from each byte's lowest
 * bit on: which step, and above it the bias in two's complement, in units of 2^max(0, right shift -
 * fraction_bits). Where channels have a multiplier each, there are words instead of steps: the
 * lowest `shift_bits` are the right shift less `first_shift`; all from bit 2 on that are not these
 * are the multiplier without its highest bit, which is 1. See src/esq_channels.h. */
struct esq_channels {
    const uint8_t *fields; /* and 3 bytes behind; 0: there is a whole table */
    union {
        const int32_t *steps;  /* [n, 2]: multiplier, right shift */
        const uint32_t *words; /* [O] */
    };
    uint8_t bits;      /* of a field, in [1, 25] */
    uint8_t step_bits; /* of them, less than `bits`; with words 0 */
    uint8_t fraction_bits;
    uint8_t shift_bits; /* 0: there are steps; else at least 2 */
    uint8_t first_shift;
};

/* How streams with masks are decoded; the linker leaves it out of models without any. */
struct esq_by_masks;
extern const struct esq_by_masks esq_by_masks;

struct esq_tile;
struct esq_tiled;

/* Makes the convolution of a tile's channels, tile->conv, of `conv`, that of all channels. */
typedef void esq_enter_tile_fn(const void *conv, const struct esq_op *op,
                               const struct esq_tiled *tiled, int8_t *arena, struct esq_tile *tile);

/* A convolution that is computed `tile` output channels at a time, for all rows of a band, because
 * something is made for these in its working memory. Offsets are bytes from there. */
struct esq_tiled {
    esq_enter_tile_fn *enter;
    struct esq_channels channels; /* dsp, relu: what stands for a table; else none */
    uint32_t rows_offset_bytes;   /* with channels: int32 [tile / 2, 8], a table for the tile */
    uint16_t tile;                /* dsp: even; with a stream a multiple of 4 */
};

/* The same, because its weights are decoded from a stream; see src/esq_stream.h. */
struct esq_streamed {
    struct esq_tiled tiled; /* first: what struct esq_conv2d_parts points to */
    const struct esq_stream *stream;
    const struct esq_by_masks *masks; /* &esq_by_masks: room for a table of masks; else 0 */
    uint32_t table_offset_bytes; /* uint32 [2^table_bits]; with masks, uint16 [128] behind it */
    uint32_t weights_offset_bytes;
    uint32_t channel_bytes; /* of weights, as this kernel family packs them */
    uint8_t table_bits;     /* up to ESQ_STREAM_MAX_TABLE_BITS */
    uint8_t carries;        /* two weights stand as 256 A + B: 0x80 (dsp); as two bytes: 0 */
    uint8_t table_row;      /* dsp: int32 of a whole table per channel pair */
    uint8_t kernel_rows;    /* Winograd: of a channel, decoded together */
};

#ifdef __cplusplus
}
#endif

#endif
