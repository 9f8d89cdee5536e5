/* 3x3 CONV_2D as Winograd's F(4 x 4, 3 x 3), exact in integers: sixteen output pixels take 36
 * products per channel instead of 144.
 * Mirror: edgesq/kernels/dsp/squares.py.
 *
 * Transformed weights would take eight bytes each, so they are made on the board, four output
 * channels at a time, and used for all tiles of a band; the band's input is transformed once. All
 * values stay in 16 bits: inputs grow up to 100 times, weights up to 49 times. Sums come out as 36,
 * 72, 144, 288 or 576 times the convolution's, modulo 2^32; the inverse of 9 and a shift give them
 * back as long as they stay in 26 bits, which export checks.
 */
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_winograd_dsp.h"

#define ESQ_INVERSE_OF_9 0x38E38E39u

#define ESQ_SQUARE_VALUES (ESQ_WINOGRAD_COLUMNS * ESQ_WINOGRAD_COLUMNS)

/* The one of a tile's values that counts once for each of its pixels, with this weight. */
#define ESQ_SQUARE_ONE 7u
#define ESQ_SQUARE_ONES 36u

/* Words of a channel's weights for four input channels. */
#define ESQ_SQUARE_GROUP_WORDS 9u

/* A band at work. */
struct band {
    const struct esq_winograd *params;
    const struct esq_op *op;
    int8_t *arena;
    uint32_t first; /* output row */
    uint32_t end;
    uint32_t *tiles; /* [rows of tiles][tiles][36][steps] */
};

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* Six rows of a tile to its values, column by column. */
static void transform_down(uint32_t *tile, uint32_t steps) {
    const uint32_t row = ESQ_WINOGRAD_COLUMNS * steps;
    for (uint32_t *const end = tile + row; tile < end; tile++) {
        const uint32_t d[ESQ_WINOGRAD_COLUMNS] = {tile[0],       tile[row],     tile[2 * row],
                                                  tile[3 * row], tile[4 * row], tile[5 * row]};
        esq_winograd_values(d, row, tile);
    }
}

/* Transforms the input under a row of tiles that begins with output row y; returns their end. */
static uint32_t *transform_row(const struct band *band, uint32_t y, uint32_t *to) {
    const struct esq_slot *input = band->op->input[0];
    const uint32_t steps = band->params->steps;
    const uint32_t top = y - band->params->window.pad_top; /* wraps above the image */
    const uint32_t rows = band->end - y + 2u;              /* that are there */
    for (uint32_t x = 0; x < band->op->output->width; x += ESQ_WINOGRAD_PIXELS) {
        const struct esq_winograd_place place = {x, steps};
        uint32_t *part = to;
        for (uint32_t r = 0; r < ESQ_WINOGRAD_COLUMNS; r++) {
            const int inside = r < rows && top + r < input->height;
            const int8_t *row = inside ? esq_row(band->arena, input, top + r) : 0;
            esq_winograd_transform(band->params, input, row, &place, part);
            part += ESQ_WINOGRAD_COLUMNS * steps;
        }
        transform_down(to, steps);
        to = part;
    }
    return to;
}

/* Six sums of products, `words` apart, to 24, 12, 6 and 6 times four results. */
static inline void combine(const uint32_t *m, uint32_t words, uint32_t to[ESQ_WINOGRAD_PIXELS]) {
    const uint32_t e = m[words] + m[2 * words];
    const uint32_t o = m[words] - m[2 * words];
    const uint32_t f = m[3 * words] + m[4 * words];
    const uint32_t p = m[3 * words] - m[4 * words];
    to[0] = 6 * m[0] - 4 * e + f;
    to[1] = p - 2 * o;
    to[2] = f - e;
    to[3] = 2 * p - o + 6 * m[5 * words];
}

/* How a channel's sums end. */
struct ending {
    int32_t multiplier;
    int32_t constant;
    int32_t shift;
};

/* `part` is 36 * 2^rest times a convolution's sum. */
static inline int8_t finish(uint32_t part, uint32_t rest, struct ending by) {
    const int32_t twice_sum = (int32_t)(part * ESQ_INVERSE_OF_9) >> (rest + 1);
    int32_t scaled;
    __asm("smmlar %0, %1, %2, %3"
          : "=r"(scaled)
          : "r"(twice_sum), "r"(by.multiplier), "r"(by.constant));
    scaled = (scaled + (twice_sum >> 31)) >> by.shift; /* halves away from zero */
    __asm("ssat %0, #8, %1" : "=r"(scaled) : "r"(scaled));
    return (int8_t)scaled;
}

/* Where a tile's pixels go, and how many of them are in the band. */
struct place {
    int8_t *rows[ESQ_WINOGRAD_PIXELS];
    uint32_t height;
    uint32_t width;
    uint32_t pixel_bytes;
};

static inline void finish_row(const uint32_t half[ESQ_WINOGRAD_COLUMNS], uint32_t rest,
                              struct ending by, const struct place *place, int8_t *result) {
    uint32_t part[ESQ_WINOGRAD_PIXELS];
    combine(half, 1, part);
    result[0] = finish(part[0], rest + 2, by);
    if (place->width > 1) {
        result[place->pixel_bytes] = finish(part[1], rest + 1, by);
    }
    if (place->width > 2) {
        result[2 * place->pixel_bytes] = finish(part[2], rest, by);
    }
    if (place->width > 3) {
        result[3 * place->pixel_bytes] = finish(part[3], rest, by);
    }
}

/* Four channels from sums [36][4] to int8, `at` bytes behind the tile's place. */
static void finish_tile(uint32_t *sums, const int32_t *table, const struct place *place,
                        uint32_t at) {
    for (uint32_t c = 0; c < ESQ_WINOGRAD_CHANNELS; c++, sums++, at++) {
        const int32_t *end = table + ESQ_WINOGRAD_CHANNELS + 3 * c;
        const struct ending by = {end[0], end[1], end[2]};
        uint32_t half[ESQ_WINOGRAD_PIXELS][ESQ_WINOGRAD_COLUMNS];
        sums[ESQ_SQUARE_ONE * ESQ_WINOGRAD_CHANNELS] += ESQ_SQUARE_ONES * (uint32_t)table[c];
        for (uint32_t x = 0; x < ESQ_WINOGRAD_COLUMNS; x++) {
            uint32_t part[ESQ_WINOGRAD_PIXELS];
            combine(sums + x * ESQ_WINOGRAD_CHANNELS, ESQ_WINOGRAD_COLUMNS * ESQ_WINOGRAD_CHANNELS,
                    part);
            half[0][x] = part[0];
            half[1][x] = part[1];
            half[2][x] = part[2];
            half[3][x] = part[3];
        }
        finish_row(half[0], 2, by, place, place->rows[0] + at);
        if (place->height > 1) {
            finish_row(half[1], 1, by, place, place->rows[1] + at);
        }
        for (uint32_t y = 2; y < place->height; y++) {
            finish_row(half[y], 0, by, place, place->rows[y] + at);
        }
    }
}

/* Four output channels from `channel` on, of a row of tiles that begins with output row y. */
static const uint32_t *compute_tiles(const struct band *band, const uint32_t *weights,
                                     const int32_t *table, uint32_t channel, uint32_t y,
                                     const uint32_t *tile) {
    const struct esq_slot *output = band->op->output;
    const uint32_t steps = band->params->steps;
    struct place place = {
        {0, 0, 0, 0}, at_most(ESQ_WINOGRAD_PIXELS, band->end - y), 0, output->pixel_bytes};
    for (uint32_t i = 0; i < place.height; i++) {
        place.rows[i] = esq_row(band->arena, output, y + i);
    }
    for (uint32_t x = 0; x < output->width; x += ESQ_WINOGRAD_PIXELS) {
        uint32_t sums[ESQ_SQUARE_VALUES * ESQ_WINOGRAD_CHANNELS];
        place.width = at_most(ESQ_WINOGRAD_PIXELS, output->width - x);
        esq_dsp_squares(tile, weights, sums, steps / 8u);
        finish_tile(sums, table, &place, channel + x * output->pixel_bytes);
        tile += ESQ_SQUARE_VALUES * steps;
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
    const struct band band = {params, op, arena, progress->out_row, end, work};
    const uint32_t *raw = params->weights;
    const int32_t *table = params->table;
    uint32_t *weights = band.tiles;
    for (uint32_t y = band.first; y < band.end; y += ESQ_WINOGRAD_PIXELS) {
        weights = transform_row(&band, y, weights);
    }
    for (uint32_t c = 0; c < op->output->channels; c += ESQ_WINOGRAD_CHANNELS) {
        const uint32_t *tile = band.tiles;
        for (uint32_t k = 0; k < ESQ_WINOGRAD_CHANNELS; k++) {
            esq_dsp_squares_weights(raw, groups, value_bytes, weights + k);
            raw += groups * ESQ_SQUARE_GROUP_WORDS;
        }
        for (uint32_t y = band.first; y < band.end; y += ESQ_WINOGRAD_PIXELS) {
            tile = compute_tiles(&band, weights, table, c, y, tile);
        }
        table += ESQ_WINOGRAD_ROW;
    }
    progress->out_row = (uint16_t)end;
}

#endif
