/* CONV_2D on the DSP extension whose table of 16 bytes per channel is made from a few bits each,
 * for a tile of channels at a time; its weights lie in flash as they are.
 * Mirror: edgesq/kernels/dsp/pack.py.
 */
#include "../esq_channels.h"
#include "../esq_tiles.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#define ESQ_ROW_WORDS 8u /* of a pair */

/* Half a step, and the zero point. */
static inline int32_t constant_of(int32_t shift, int32_t zp) {
    return (1 << shift >> 1) + zp * (1 << shift);
}

void esq_dsp_enter_rows(const struct esq_conv2d_dsp *params, const struct esq_channels *channels,
                        uint32_t first, uint32_t count, int32_t *row) {
    const struct esq_channels local = *channels; /* which no row can alias */
    const int32_t zp = params->output_zp;
    const int32_t upper = params->way->upper_bits;
    for (uint32_t c = first; c + 1u < first + count; c += 2) {
        const struct esq_channel a = esq_channel_at(&local, c);
        const struct esq_channel b = esq_channel_at(&local, c + 1u);
        const int32_t shift = a.shift + upper;
        row[0] = (int32_t)(256u * (uint32_t)a.bias + (uint32_t)b.bias);
        row[1] = b.bias;
        row[2] = a.multiplier;
        row[3] = constant_of(shift, zp) + (1 << upper >> 1);
        row[4] = shift;
        row[5] = b.multiplier;
        row[6] = constant_of(b.shift, zp);
        row[7] = b.shift;
        row += ESQ_ROW_WORDS;
    }
}

void esq_dsp_enter_table(const void *conv, const struct esq_op *op, const struct esq_tiled *tiled,
                         int8_t *arena, struct esq_tile *tile) {
    int32_t *rows = esq_work_at(op, arena, tiled->rows_offset_bytes);
    struct esq_conv2d_dsp *own = &tile->own.dsp;
    *own = *(const struct esq_conv2d_dsp *)conv;
    esq_dsp_enter_rows(own, &tiled->channels, tile->rows.channel, tile->rows.channels, rows);
    own->table = rows;
    own->first = (uint16_t)tile->rows.channel;
    own->weights += tile->rows.channel * own->groups * own->slide;
    tile->conv = own;
}

#endif
