/* DEPTHWISE_CONV_2D with windows of any shape, on the DSP extension.
 * Mirror: edgesq/kernels/dsp/depthwise_windows.py.
 */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"
#include "esq_clamp_dsp.h"
#include "esq_dsp_ops.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_depthwise_windows_dsp.h"
#include "esq_lanes.h"

#define ESQ_FOUR 4u

/* Sums of a channel that are held at a time, on the stack; a multiple of ESQ_DSP_WINDOWS. */
#define ESQ_SUMS_PIXELS 24u

/* Outputs [column, column + pixels) of a row, and the input columns under them. */
struct tile {
    const struct esq_depthwise_windows_dsp *params;
    const int8_t *const *rows; /* [window.height] from column 0 on; NULL beside the image */
    uint32_t pixel_bytes;      /* of the input */
    uint32_t pixels;
    uint32_t before; /* columns left of the image; then those inside, then those right of it */
    uint32_t inside;
    uint32_t columns;
    uint32_t offset_bytes;  /* of the first inside, from column 0 */
    uint32_t pairs;         /* of rows */
    uint32_t channel_words; /* from one channel's lanes to the next one's */
    uint32_t *weights;      /* of the channel at work */
    uint32_t *lanes;
    int8_t *result;
    uint32_t result_bytes; /* to the next pixel */
    uint32_t zero;         /* the zero point in all bytes */
};

/* Pixels of two rows, one pair of lanes of every column. */
struct run {
    const int8_t *upper;
    uint32_t upper_bytes; /* to the next pixel; 0 beside the image */
    const int8_t *lower;
    uint32_t lower_bytes;
    uint32_t count;
    uint32_t *to;
    uint32_t step; /* words to the next column's */
    uint32_t channel_words;
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* Channels of the input that are set out together. */
static inline uint32_t set_out_together(uint32_t channels) {
    return channels % ESQ_FOUR ? 1u : ESQ_FOUR;
}

static void set_out_four(struct run run) {
    for (uint32_t left = run.count; left > 0; left--) {
        const uint32_t upper = esq_load_word(run.upper);
        const uint32_t lower = esq_load_word(run.lower);
        run.upper += run.upper_bytes;
        run.lower += run.lower_bytes;
        uint32_t one; /* the first two bytes of both, then the last two */
        uint32_t two;
        __asm("pkhbt %0, %1, %2, lsl #16" : "=r"(one) : "r"(upper), "r"(lower));
        __asm("pkhtb %0, %1, %2, asr #16" : "=r"(two) : "r"(lower), "r"(upper));
        run.to[0] = esq_even_lanes(0, one);
        run.to[run.channel_words] = esq_odd_lanes(0, one);
        run.to[2 * run.channel_words] = esq_even_lanes(0, two);
        run.to[3 * run.channel_words] = esq_odd_lanes(0, two);
        run.to += run.step;
    }
}

static void set_out_one(struct run run) {
    for (uint32_t left = run.count; left > 0; left--) {
        *run.to = ((uint32_t)*run.upper & 0xffffu) | (uint32_t)*run.lower << 16;
        run.upper += run.upper_bytes;
        run.lower += run.lower_bytes;
        run.to += run.step;
    }
}

/* Sets out columns inside the image, of one or four channels. */
static void set_out(const struct tile *tile, uint32_t channel, uint32_t together) {
    const uint32_t height = tile->params->window.height;
    const int8_t *beside = (const int8_t *)&tile->zero;
    const uint32_t offset_bytes = tile->offset_bytes + channel;
    for (uint32_t pair = 0; pair < tile->pairs; pair++) {
        const int8_t *upper = tile->rows[2 * pair];
        const int8_t *lower = 2 * pair + 1 < height ? tile->rows[2 * pair + 1] : 0;
        const struct run run = {
            .upper = upper ? upper + offset_bytes : beside,
            .upper_bytes = upper ? tile->pixel_bytes : 0,
            .lower = lower ? lower + offset_bytes : beside,
            .lower_bytes = lower ? tile->pixel_bytes : 0,
            .count = tile->inside,
            .to = tile->lanes + tile->before * tile->pairs + pair,
            .step = tile->pairs,
            .channel_words = tile->channel_words,
        };
        (together == ESQ_FOUR ? set_out_four : set_out_one)(run);
    }
}

/* Columns beside the image, which are the same for all channels. */
static void fill_beside(const struct tile *tile, uint32_t together) {
    const uint32_t zero = ((uint32_t)tile->params->input_zp & 0xffffu) * 0x00010001u;
    const uint32_t before = tile->before * tile->pairs;
    uint32_t *lanes = tile->lanes;
    for (; together > 0; together--, lanes += tile->channel_words) {
        for (uint32_t i = 0; i < before; i++) {
            lanes[i] = zero;
        }
        for (uint32_t i = before + tile->inside * tile->pairs; i < tile->columns * tile->pairs;
             i++) {
            lanes[i] = zero;
        }
    }
}

/* One channel's weights to lanes, two words at a time. */
static void unpack_taps(const int8_t *taps, uint32_t words, uint32_t *weights) {
    for (const uint32_t *end = weights + words; weights < end; weights += 2, taps += 4) {
        const uint32_t four = esq_load_word(taps);
        weights[0] = esq_even_lanes(0, four);
        weights[1] = esq_odd_lanes(0, four);
    }
}

/* Ends sums by the short requantization: twice the sum, rounded, shifted right. */
static void finish_short(const struct tile *tile, uint32_t channel, const int32_t *sums,
                         uint32_t count, int8_t *result) {
    const int32_t multiplier = tile->params->multiplier[channel];
    const uint32_t right = tile->params->right[channel];
    const int32_t constant = (2 * tile->params->output_zp + 1) * (int32_t)(1u << (right - 1));
    const uint32_t result_bytes = tile->result_bytes;
    for (; count > 0; count--, result += result_bytes) {
        const int32_t doubled = *sums++ * 2;
        int32_t level;
        __asm("smmlar %0, %1, %2, %3" : "=r"(level) : "r"(doubled), "r"(multiplier), "r"(constant));
        level = (level + (doubled >> 31)) >> right;
        __asm("ssat %0, #8, %1" : "=r"(level) : "r"(level));
        *result = (int8_t)level;
    }
}

/* The exact double rounding. */
static void finish_any(const struct tile *tile, uint32_t channel, const int32_t *sums,
                       uint32_t count, int8_t *result) {
    const struct esq_depthwise_windows_dsp *params = tile->params;
    for (; count > 0; count--, result += tile->result_bytes) {
        const int32_t scaled =
            esq_requantize(*sums++, params->multiplier[channel], params->shift[channel]);
        *result = esq_clamp(scaled + params->output_zp, INT8_MIN, INT8_MAX);
    }
}

/* One output channel, of lanes that are set out. */
static void compute_channel(const struct tile *tile, uint32_t channel, const uint32_t *lanes) {
    const struct esq_depthwise_windows_dsp *params = tile->params;
    int32_t sums[ESQ_SUMS_PIXELS];
    struct esq_dsp_window_job job = {
        .weights = tile->weights,
        .step_bytes = params->window.stride_w * tile->pairs * (uint32_t)sizeof *lanes,
        .steps = params->words / ESQ_DSP_WINDOW_STEP,
        .lanes = lanes,
        .bias = params->bias[channel],
    };
    const uint32_t tap_bytes = (params->words + 1u) / 2u * 4u;
    unpack_taps(params->taps + channel * tap_bytes, params->words, tile->weights);
    int8_t *result = tile->result + channel;
    for (uint32_t left = tile->pixels; left > 0;) {
        const uint32_t count = at_most(ESQ_SUMS_PIXELS, left);
        job.sums = sums;
        job.triples = (count + ESQ_DSP_WINDOWS - 1u) / ESQ_DSP_WINDOWS;
        esq_dsp_window_sums(&job);
        (params->right[channel] ? finish_short : finish_any)(tile, channel, sums, count, result);
        result += count * tile->result_bytes;
        left -= count;
    }
}

static void compute_tile(const struct tile *tile, const struct esq_op *op) {
    const struct esq_depthwise_windows_dsp *params = tile->params;
    const uint32_t inputs = op->input[0]->channels;
    const uint32_t each = op->output->channels / inputs;
    const uint32_t together = set_out_together(inputs);
    fill_beside(tile, together);
    uint32_t channel = 0; /* of the output */
    for (uint32_t first = 0; first < inputs; first += together) {
        set_out(tile, first, together);
        for (uint32_t i = 0; i < together; i++) {
            for (uint32_t end = channel + each; channel < end; channel++) {
                compute_channel(tile, channel, tile->lanes + i * tile->channel_words);
            }
        }
    }
    if (params->clamp_min == INT8_MIN && params->clamp_max == INT8_MAX) {
        return;
    }
    for (uint32_t pixel = 0; pixel < tile->pixels; pixel++) {
        esq_dsp_clamp(tile->result + pixel * tile->result_bytes, op->output->channels,
                      params->clamp_min, params->clamp_max);
    }
}

/* Moves a tile to outputs from `column` on. */
static void place(struct tile *tile, const struct esq_op *op, uint32_t column) {
    const struct esq_depthwise_windows_dsp *params = tile->params;
    const struct esq_window *window = &params->window;
    const uint32_t left = op->output->width - column;
    tile->pixels = at_most(params->pixels, left);
    tile->columns = (tile->pixels - 1u) * window->stride_w + window->width;
    const int32_t start = (int32_t)(column * window->stride_w) - window->pad_left;
    const int32_t end = start + (int32_t)tile->columns;
    const int32_t first = start < 0 ? 0 : start;
    const int32_t last = end > op->input[0]->width ? op->input[0]->width : end;
    tile->before = at_most(tile->columns, (uint32_t)(first - start));
    tile->inside = last > first ? (uint32_t)(last - first) : 0;
    tile->offset_bytes = (uint32_t)first * tile->pixel_bytes;
}

void esq_run_depthwise_conv2d_windows_dsp(const struct esq_op *op, int8_t *arena,
                                          struct esq_progress *progress) {
    const struct esq_depthwise_windows_dsp *params = op->params;
    const struct esq_window *window = &params->window;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    uint32_t *work = (void *)(arena + op->work_offset_bytes);
    const uint32_t pixels = (params->pixels + ESQ_DSP_WINDOWS - 1u) / ESQ_DSP_WINDOWS;
    struct tile tile = {.params = params,
                        .rows = rows,
                        .pixel_bytes = op->input[0]->pixel_bytes,
                        .pairs = (window->height + 1u) / 2u,
                        .weights = work,
                        .lanes = work + (params->words + 1u) / 2u * 2u,
                        .result_bytes = op->output->pixel_bytes,
                        .zero = ((uint32_t)params->input_zp & 0xffu) * 0x01010101u};
    tile.channel_words =
        ((pixels * ESQ_DSP_WINDOWS - 1u) * window->stride_w + window->width) * tile.pairs;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t column = 0; column < op->output->width; column += tile.pixels) {
            place(&tile, op, column);
            tile.result = result + column * tile.result_bytes;
            compute_tile(&tile, op);
        }
    }
}

#endif
