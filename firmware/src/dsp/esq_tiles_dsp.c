/* A tile of a CONV_2D on the DSP extension: its weights, decoded. Input values are unpacked once
 * for each tile, which costs as much as two channels do: tiles are as large as the plan allows.
 */
#include "../esq_tiles.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

void esq_dsp_enter_tile(const void *conv, const struct esq_op *op, const struct esq_tiled *tiled,
                        int8_t *arena, struct esq_tile *tile) {
    const struct esq_streamed *streamed = esq_streamed_of(tiled);
    const struct esq_conv2d_dsp *params = conv;
    const uint32_t first = tile->rows.channel;
    const uint32_t words = ((tile->rows.channels + 1u) & ~1u) * streamed->channel_bytes / 4u;
    struct esq_conv2d_dsp *own = &tile->own.dsp;
    *own = *params;
    own->weights = esq_tile_weights(op, streamed, arena, tile, words);
    if (tiled->channels.fields) {
        int32_t *rows = esq_work_at(op, arena, tiled->rows_offset_bytes);
        esq_dsp_enter_rows(params, &tiled->channels, first, tile->rows.channels, rows);
        own->table = rows;
    } else {
        own->table += first / 2u * streamed->table_row;
    }
    own->first = (uint16_t)first;
    tile->conv = own;
}

#endif
