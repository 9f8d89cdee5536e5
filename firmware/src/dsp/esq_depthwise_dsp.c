/* DEPTHWISE_CONV_2D, 3x3, on the DSP extension. Mirror: edgesq/kernels/dsp/depthwise.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"
#include "esq_clamp_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_depthwise_dsp.h"

/* Outputs of a channel whose plain sums are held at a time, on the stack; even. */
#define ESQ_SUMS_PIXELS 16u

#define ESQ_TABLE_ROW 8u

/* Outputs [column, column + pixels) of a row. */
struct tile {
    const struct esq_depthwise_dsp *params;
    uint32_t column;
    uint32_t pixels;
    int8_t *result;
    uint32_t pixel_bytes;
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* How the columns under a tile pair up; the rows are at their first pixel. */
static struct esq_dsp_pairs pairs_of(const struct tile *tile, const struct esq_slot *input,
                                     const int8_t *const *rows, uint32_t *work) {
    const struct esq_window *window = &tile->params->window;
    const uint32_t column = tile->column * window->stride_w - window->pad_left;
    const uint32_t left = tile->column == 0 ? window->pad_left : 0; /* 0 or 1 */
    const uint32_t first = column + left + left;
    const uint32_t inside = first < input->width ? input->width - first : 0;
    const uint32_t per_pixel = window->stride_w > 1 ? tile->pixels : (tile->pixels + 1u) / 2u;
    const uint32_t full = at_most(per_pixel + 1u - left, inside / 2u);
    struct esq_dsp_pairs job = {
        .pixel_bytes = input->pixel_bytes,
        .pairs = work,
        .zero = ((uint32_t)tile->params->input_zp & 0xffu) * 0x01010101u,
        .full_end = work + (left + full) * ESQ_DSP_PAIR_WORDS,
        .right = full == inside / 2u ? inside % 2u : 0,
        .end = work + (per_pixel + 1u) * ESQ_DSP_PAIR_WORDS,
        .left = left,
    };
    const uint32_t start = (column + left) * input->pixel_bytes;
    for (uint32_t y = 0; y < 3; y++) {
        job.rows[y] = rows[y] ? rows[y] + start : 0;
    }
    return job;
}

/* Four channels by short constants. */
static void finish_short(const struct tile *tile, const uint32_t *pairs, uint32_t first,
                         enum esq_dsp_end end) {
    static esq_dsp_outputs_kernel *const kernels[2][2] = {
        {esq_dsp_depthwise_beside_relu, esq_dsp_depthwise_apart_relu},
        {esq_dsp_depthwise_beside_linear, esq_dsp_depthwise_apart_linear},
    };
    const int apart = tile->params->window.stride_w > 1;
    const uint32_t *table = tile->params->table + first * ESQ_TABLE_ROW;
    const struct esq_dsp_outputs job = {
        .pairs = pairs,
        .result = tile->result + first,
        .step = tile->pixel_bytes,
        .iterations = apart ? tile->pixels : tile->pixels / 2u,
        .table = table,
        .table_end = table + ESQ_DSP_QUAD * ESQ_TABLE_ROW,
        .odd = tile->pixels % 2u,
    };
    kernels[end == ESQ_DSP_LINEAR][apart](&job);
}

/* The exact double rounding. */
static void requantize(const struct esq_depthwise_dsp *params, const int32_t *sums, uint32_t pixels,
                       uint32_t channel, int8_t *result, uint32_t pixel_bytes) {
    for (uint32_t i = 0; i < pixels; i++) {
        const int32_t scaled =
            esq_requantize(sums[i], params->multiplier[channel], params->shift[channel]);
        *result = esq_clamp(scaled + params->output_zp, INT8_MIN, INT8_MAX);
        result += pixel_bytes;
    }
}

static void finish_any(const struct tile *tile, const uint32_t *pairs, uint32_t first) {
    const struct esq_depthwise_dsp *params = tile->params;
    const int apart = params->window.stride_w > 1;
    int32_t sums[ESQ_DSP_QUAD * ESQ_SUMS_PIXELS];
    const uint32_t *table = params->table + first * ESQ_TABLE_ROW;
    struct esq_dsp_outputs job = {.pairs = pairs, .result = sums, .table = table};
    job.step = ESQ_SUMS_PIXELS * (uint32_t)sizeof *sums;
    job.table_end = table + ESQ_DSP_QUAD * ESQ_TABLE_ROW;
    int8_t *result = tile->result + first;
    for (uint32_t left = tile->pixels; left > 0;) {
        const uint32_t pixels = at_most(ESQ_SUMS_PIXELS, left);
        job.iterations = apart ? pixels : (pixels + 1u) / 2u;
        (apart ? esq_dsp_depthwise_apart_sums : esq_dsp_depthwise_beside_sums)(&job);
        for (uint32_t c = 0; c < ESQ_DSP_QUAD; c++) {
            requantize(params, sums + c * ESQ_SUMS_PIXELS, pixels, first + c, result + c,
                       tile->pixel_bytes);
        }
        job.pairs += job.iterations * ESQ_DSP_PAIR_WORDS;
        result += pixels * tile->pixel_bytes;
        left -= pixels;
    }
}

static void compute_tile(const struct tile *tile, const struct esq_slot *input, uint32_t channels,
                         const int8_t *const *rows, uint32_t *work) {
    struct esq_dsp_pairs job = pairs_of(tile, input, rows, work);
    for (uint32_t first = 0; first < channels; first += ESQ_DSP_QUAD) {
        esq_dsp_make_pairs(&job);
        const enum esq_dsp_end end = tile->params->ends[first / ESQ_DSP_QUAD];
        if (end == ESQ_DSP_ANY) {
            finish_any(tile, work, first);
        } else {
            finish_short(tile, work, first, end);
        }
        for (uint32_t y = 0; y < 3; y++) {
            job.rows[y] += job.rows[y] ? ESQ_DSP_QUAD : 0;
        }
    }
}

static void clamp_tile(const struct tile *tile, uint32_t channels) {
    const struct esq_depthwise_dsp *params = tile->params;
    if (params->clamp_min == INT8_MIN && params->clamp_max == INT8_MAX) {
        return;
    }
    for (uint32_t pixel = 0; pixel < tile->pixels; pixel++) {
        esq_dsp_clamp(tile->result + pixel * tile->pixel_bytes, channels, params->clamp_min,
                      params->clamp_max);
    }
}

void esq_dsp_depthwise_rows(const struct esq_depthwise_dsp *params, const struct esq_op *op,
                            int8_t *arena, const struct esq_rows *part) {
    const struct esq_slot *output = op->output;
    const int8_t *rows[3];
    void *work = arena + op->work_offset_bytes;
    for (uint32_t y = part->first; y < part->end; y++) {
        esq_rows_under(&params->window, op->input[0], arena, y, rows);
        for (uint32_t row = 0; row < 3; row++) {
            rows[row] += rows[row] ? part->channel : 0;
        }
        struct tile tile = {params, 0, 0, esq_row(arena, output, y) + part->channel,
                            output->pixel_bytes};
        for (; tile.column < output->width; tile.column += tile.pixels) {
            tile.pixels = at_most(params->pixels, output->width - tile.column);
            compute_tile(&tile, op->input[0], part->channels, rows, work);
            clamp_tile(&tile, part->channels);
            tile.result += tile.pixels * output->pixel_bytes;
        }
    }
}

void esq_run_depthwise_conv2d_dsp(const struct esq_op *op, int8_t *arena,
                                  struct esq_progress *progress) {
    const struct esq_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                  op->output->channels};
    esq_dsp_depthwise_rows(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
}

#endif
