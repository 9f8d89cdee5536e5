/* DEPTHWISE_CONV_2D, 3x3, on the DSP extension, its table of 32 bytes per channel made from half of
 * them: nine weights, a word for the multiplier, and the bias in a few bits.
 * Mirror: edgesq/kernels/dsp/depthwise.py.
 */
#include "../esq_channels.h"
#include "../esq_stream.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_depthwise_dsp.h"
#include "esq_lanes.h"

#define ESQ_TAPS 9u
#define ESQ_TABLE_ROW 8u

/* Of the sums at the end, and the greatest right shift whose two roundings are one addend. */
#define ESQ_END_SHIFT 12
#define ESQ_FINEST (ESQ_END_SHIFT - 1)

/* Both lanes of a word times 2^scale; they stay in 16 bits. */
static inline uint32_t scaled(uint32_t lanes, uint32_t scale) {
    return (lanes & 0xffff0000u) << scale | (lanes << scale & 0xffffu);
}

static void enter_row(struct esq_channel by, int32_t output_zp, const int8_t *taps, uint32_t *row) {
    const uint32_t cut = by.shift > ESQ_FINEST ? (uint32_t)by.shift - ESQ_FINEST : 0;
    const uint32_t scale = ESQ_END_SHIFT + 1u - ((uint32_t)by.shift - cut);
    const uint32_t upper = esq_load_word(taps);
    const uint32_t lower = esq_load_word(taps + 4);
    const uint32_t last = scaled(esq_odd_lanes(0, lower), scale);
    const int32_t rounding = cut > 0 ? 0 : (1 << ESQ_FINEST) >> by.shift;
    row[0] = scaled(esq_even_lanes(0, upper), scale);
    row[1] = scaled(esq_odd_lanes(0, upper), scale);
    row[2] = scaled(esq_even_lanes(0, lower), scale);
    row[3] = last;
    row[4] = last >> 16 | (uint32_t)taps[ESQ_TAPS - 1] << (scale + 16u);
    row[5] = (uint32_t)by.bias << scale;
    row[6] = ((uint32_t)by.multiplier + (1u << cut >> 1)) >> cut;
    row[7] = (uint32_t)(rounding + (1 << ESQ_FINEST) + output_zp * (1 << ESQ_END_SHIFT));
}

static void enter_rows(const struct esq_depthwise_tabled_dsp *params, const struct esq_rows *part,
                       uint32_t *row) {
    const struct esq_channels channels = params->channels; /* which no row can alias */
    const int8_t *taps = params->taps + part->channel * ESQ_TAPS;
    for (uint32_t c = 0; c < part->channels; c++) {
        enter_row(esq_channel_at(&channels, part->channel + c), params->conv.output_zp, taps, row);
        taps += ESQ_TAPS;
        row += ESQ_TABLE_ROW;
    }
}

void esq_run_depthwise_conv2d_tabled_dsp(const struct esq_op *op, int8_t *arena,
                                         struct esq_progress *progress) {
    const struct esq_depthwise_tabled_dsp *params = op->params;
    const uint32_t channels = op->output->channels;
    uint32_t *table = esq_work_at(op, arena, params->table_offset_bytes);
    struct esq_depthwise_dsp conv = params->conv;
    struct esq_rows part = {progress->out_row, esq_band_end(op, progress), 0, params->tile};
    conv.table = table;
    for (; part.channel < channels; part.channel += part.channels) {
        const uint32_t left = channels - part.channel;
        part.channels = left < part.channels ? left : part.channels;
        enter_rows(params, &part, table);
        esq_dsp_depthwise_rows(&conv, op, arena, &part);
    }
    progress->out_row = (uint16_t)part.end;
}

#endif
