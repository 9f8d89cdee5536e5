/* CONV_2D on the DSP extension whose table of 16 bytes per channel is made from a few bits each,
 * for a tile of channels at a time; its weights lie in flash as they are.
 * Mirror: edgesq/kernels/dsp/pack.py.
 */
#include "../esq_channels.h"
#include "../esq_tiles.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#define ESQ_ROW_WORDS 8u /* of a pair */

void esq_dsp_enter_rows(const struct esq_channels *channels, uint32_t first, uint32_t count,
                        int32_t *row) {
    const struct esq_channels local = *channels; /* which no row can alias */
    for (uint32_t c = first; c < first + count; c += 2) {
        const struct esq_channel a = esq_channel_at(&local, c);
        const struct esq_channel b = esq_channel_at(&local, c + 1u);
        row[0] = (int32_t)(256u * (uint32_t)a.bias + (uint32_t)b.bias);
        row[1] = b.bias;
        row[2] = a.multiplier;
        row[3] = 64 - (255 << (a.shift + 6));
        row[4] = a.shift + 7;
        row[5] = b.multiplier;
        row[6] = (1 << b.shift >> 1) - (128 << b.shift);
        row[7] = b.shift;
        row += ESQ_ROW_WORDS;
    }
}

void esq_dsp_enter_table(const void *conv, const struct esq_op *op, const struct esq_tiled *tiled,
                         int8_t *arena, struct esq_tile *tile) {
    int32_t *rows = esq_work_at(op, arena, tiled->rows_offset_bytes);
    struct esq_conv2d_dsp *own = &tile->own.dsp;
    esq_dsp_enter_rows(&tiled->channels, tile->rows.channel, tile->rows.channels, rows);
    *own = *(const struct esq_conv2d_dsp *)conv;
    own->table = rows;
    own->weights += tile->rows.channel * own->groups * own->slide;
    tile->conv = own;
}

#endif
