/* 3x3 CONV_2D as Winograd's F(4 x 4, 3 x 3), exact in integers: sixteen output pixels take 36
 * products per channel instead of 144. Where a band has two rows, F(2 x 4, 3 x 3): eight take 24
 * instead of 72. Mirror: edgesq/kernels/dsp/squares.py.
 *
 * Transformed weights would take eight bytes each, so they are made on the board, four output
 * channels at a time, and used for all tiles of a band; the band's input is transformed once. All
 * values stay in 16 bits: inputs grow up to 100 times, weights up to 49 times. Sums come out as 36
 * times the convolution's, or that times a power of two up to 16, modulo 2^32 (12, and up to 4);
 * the inverse of 9 (3) and a shift give them back as long as they stay in 26 bits, which export
 * checks.
 */
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_winograd_dsp.h"

/* The most values that stand for the input under a square. */
#define ESQ_SQUARE_VALUES (ESQ_WINOGRAD_COLUMNS * ESQ_WINOGRAD_COLUMNS)

/* Words of a channel's weights for four input channels. */
#define ESQ_SQUARE_GROUP_WORDS 9u

/* int32 of the table per channel. */
#define ESQ_SQUARE_ROW 4u

/* How many rows of pixels a square has, and what computes so many. */
struct esq_squares_way {
    void (*transform)(uint32_t *tile, uint32_t steps);
    esq_dsp_squares_weights_fn *weights;
    esq_dsp_squares_end_fn *end;
    uint32_t rows;
};

/* A band at work. */
struct band {
    const struct esq_winograd *params;
    const struct esq_op *op;
    int8_t *arena;
    uint32_t first; /* output row */
    uint32_t end;
    uint32_t *tiles; /* [rows of tiles][tiles][values][steps] */
    uint32_t *sums;  /* [values][four channels], of one tile */
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* Six rows of a tile to its values, column by column. */
static void transform_6(uint32_t *tile, uint32_t steps) {
    const uint32_t row = ESQ_WINOGRAD_COLUMNS * steps;
    for (uint32_t *const end = tile + row; tile < end; tile++) {
        const uint32_t d[ESQ_WINOGRAD_COLUMNS] = {tile[0],       tile[row],     tile[2 * row],
                                                  tile[3 * row], tile[4 * row], tile[5 * row]};
        esq_winograd_values(d, row, tile);
    }
}

/* Four rows likewise. */
static void transform_4(uint32_t *tile, uint32_t steps) {
    const uint32_t row = ESQ_WINOGRAD_COLUMNS * steps;
    for (uint32_t *const end = tile + row; tile < end; tile++) {
        const uint32_t first = tile[row];
        const uint32_t second = tile[2 * row];
        tile[0] = esq_lanes_minus(tile[0], second);
        tile[row] = esq_lanes_plus(first, second);
        tile[2 * row] = esq_lanes_minus(second, first);
        tile[3 * row] = esq_lanes_minus(first, tile[3 * row]);
    }
}

const struct esq_squares_way esq_dsp_squares_of_4 = {transform_6, esq_dsp_squares_weights_4,
                                                     esq_dsp_squares_end_4, 4};
const struct esq_squares_way esq_dsp_squares_of_2 = {transform_4, esq_dsp_squares_weights_2,
                                                     esq_dsp_squares_end_2, 2};

/* Transforms the input under a row of tiles that begins with output row y; returns their end. */
static uint32_t *transform_row(const struct band *band, uint32_t y, uint32_t *to) {
    const struct esq_slot *input = band->op->input[0];
    const uint32_t steps = band->params->steps;
    const uint32_t top = y - band->params->window.pad_top; /* wraps above the image */
    const uint32_t rows = band->end - y + 2u;              /* that are there */
    const struct esq_squares_way *way = band->params->squares;
    for (uint32_t x = 0; x < band->op->output->width; x += ESQ_WINOGRAD_PIXELS) {
        const struct esq_winograd_place place = {x, steps};
        uint32_t *part = to;
        for (uint32_t r = 0; r < way->rows + 2u; r++) {
            const int inside = r < rows && top + r < input->height;
            const int8_t *row = inside ? esq_row(band->arena, input, top + r) : 0;
            esq_winograd_transform(band->params, input, row, &place, part);
            part += ESQ_WINOGRAD_COLUMNS * steps;
        }
        way->transform(to, steps);
        to = part;
    }
    return to;
}

/* Four output channels from `channel` on, of a row of tiles that begins with output row y. */
static const uint32_t *compute_tiles(const struct band *band, const uint32_t *weights,
                                     const int32_t *table, uint32_t channel, uint32_t y,
                                     const uint32_t *tile) {
    const struct esq_slot *output = band->op->output;
    const uint32_t steps = band->params->steps;
    const struct esq_squares_way *way = band->params->squares;
    const uint32_t values = (way->rows + 2u) * ESQ_WINOGRAD_COLUMNS;
    const uint32_t height = at_most(way->rows, band->end - y);
    struct esq_square square = {{0, 0, 0, 0}, height, {0, 0, 0}};
    for (uint32_t i = 0; i < height; i++) {
        square.rows[i] = esq_row(band->arena, output, y + i) + channel;
    }
    for (uint32_t x = 0; x < output->width; x += ESQ_WINOGRAD_PIXELS) {
        for (uint32_t i = 1; i < ESQ_WINOGRAD_PIXELS; i++) {
            square.offsets[i - 1] = at_most(i, output->width - x - 1) * output->pixel_bytes;
        }
        esq_dsp_squares(tile, weights, band->sums, steps / 8u,
                        band->sums + values * ESQ_WINOGRAD_CHANNELS);
        way->end(band->sums, table, &square);
        for (uint32_t i = 0; i < height; i++) {
            square.rows[i] += ESQ_WINOGRAD_PIXELS * output->pixel_bytes;
        }
        tile += values * steps;
    }
    return tile;
}

void esq_run_squares_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_winograd *params = op->params;
    const uint32_t steps = params->steps;
    const uint32_t groups = steps / 2u;
    const uint32_t value_bytes = steps * ESQ_WINOGRAD_CHANNELS * (uint32_t)sizeof *params->weights;
    void *const work = arena + op->work_offset_bytes;
    const uint32_t end = esq_band_end(op, progress);
    struct band band = {params, op, arena, progress->out_row, end, work, 0};
    const uint32_t *raw = params->weights;
    const int32_t *table = params->table;
    const uint32_t rows = params->squares->rows;
    uint32_t *weights = band.tiles;
    for (uint32_t y = band.first; y < band.end; y += rows) {
        weights = transform_row(&band, y, weights);
    }
    band.sums = weights + (rows + 2u) * ESQ_WINOGRAD_COLUMNS * steps * ESQ_WINOGRAD_CHANNELS;
    for (uint32_t c = 0; c < op->output->channels; c += ESQ_WINOGRAD_CHANNELS) {
        const uint32_t *tile = band.tiles;
        for (uint32_t k = 0; k < ESQ_WINOGRAD_CHANNELS; k++) {
            params->squares->weights(raw, groups, value_bytes, weights + k);
            raw += groups * ESQ_SQUARE_GROUP_WORDS;
        }
        for (uint32_t y = band.first; y < band.end; y += rows) {
            tile = compute_tiles(&band, weights, table, c, y, tile);
        }
        table += ESQ_WINOGRAD_CHANNELS * ESQ_SQUARE_ROW;
    }
    progress->out_row = (uint16_t)end;
}

#endif
