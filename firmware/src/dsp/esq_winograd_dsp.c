/* 3x3 CONV_2D as Winograd's F(4, 3) along rows, exact in integers.
 * Mirror: edgesq/kernels/dsp/winograd.py.
 *
 * Four output pixels of a row take 6 products per kernel row and channel instead of 12. Weights are
 * transformed at export without their divisors (1/4, -1/6, 1/24), which are made up for at the end:
 * the sums are then 24 times the convolution's, exactly, and 24 divides exactly: a shift, and a
 * multiplication by the inverse of 3 modulo 2^32. On the way everything may wrap around.
 */
#include "../esq_windows.h"
#include "esq_dsp.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_lanes.h"
#include "esq_winograd_dsp.h"

#define ESQ_INVERSE_OF_3 0xAAAAAAABu

/* Where the six columns of a tile are; a column outside the image stays on the zero point. */
struct columns {
    const int8_t *values[ESQ_WINOGRAD_COLUMNS];
    uint32_t advance[ESQ_WINOGRAD_COLUMNS]; /* bytes per four channels */
};

/* The next four channels of column x, which is a constant where this is inlined. */
static inline void unpack_column(struct columns *columns, uint32_t x, uint32_t minus_zp,
                                 uint32_t *even, uint32_t *odd) {
    const uint32_t word = esq_load_word(columns->values[x]);
    columns->values[x] += columns->advance[x];
    even[x] = esq_even_lanes(minus_zp, word);
    odd[x] = esq_odd_lanes(minus_zp, word);
}

/* No loop over the columns, so that all twelve words stay in registers. */
static void transform_row(struct columns columns, uint32_t groups, uint32_t minus_zp,
                          uint32_t steps, uint32_t *to) {
    for (; groups > 0; groups--) {
        uint32_t even[ESQ_WINOGRAD_COLUMNS];
        uint32_t odd[ESQ_WINOGRAD_COLUMNS];
        unpack_column(&columns, 0, minus_zp, even, odd);
        unpack_column(&columns, 1, minus_zp, even, odd);
        unpack_column(&columns, 2, minus_zp, even, odd);
        unpack_column(&columns, 3, minus_zp, even, odd);
        unpack_column(&columns, 4, minus_zp, even, odd);
        unpack_column(&columns, 5, minus_zp, even, odd);
        esq_winograd_values(even, steps, to);
        esq_winograd_values(odd, steps, to + 1);
        to += 2;
    }
}

void esq_winograd_transform(const struct esq_winograd *params, const struct esq_slot *input,
                            const int8_t *row, const struct esq_winograd_place *place,
                            uint32_t *to) {
    const uint32_t minus_zp = ((uint32_t)-params->input_zp & 0xffffu) * 0x10001u;
    const int8_t zp = (int8_t)params->input_zp;
    const int8_t zeros[4] = {zp, zp, zp, zp};
    struct columns columns;
    for (uint32_t x = 0; x < ESQ_WINOGRAD_COLUMNS; x++) {
        /* Left of the image it wraps, and is outside too. */
        const uint32_t column = place->column + x - params->window.pad_left;
        const int inside = row && column < input->width;
        columns.values[x] = inside ? row + column * input->pixel_bytes : zeros;
        columns.advance[x] = inside ? 4 : 0;
    }
    transform_row(columns, input->channels / 4u, minus_zp, place->steps, to);
}

static void transform_tile(const struct esq_winograd *params, const struct esq_slot *input,
                           const int8_t *const *rows, uint32_t column, uint32_t *to) {
    const struct esq_winograd_place place = {column, params->steps};
    for (uint32_t y = 0; y < params->window.height; y++) {
        esq_winograd_transform(params, input, rows[y], &place, to);
        to += input->channels / 2u;
    }
}

/* A channel's requantization, read once: what is stored in between might be the table. */
struct ending {
    uint32_t bias; /* twice */
    int32_t multiplier;
    int32_t constant;
    int32_t shift;
};

/* `part` is 6 * 2^rest times a convolution's sum without its bias. */
static inline int8_t finish(uint32_t part, uint32_t rest, struct ending by) {
    const uint32_t twice_sum = (uint32_t)((int32_t)part >> rest) * ESQ_INVERSE_OF_3 + by.bias;
    int32_t scaled;
    __asm("smmlar %0, %1, %2, %3"
          : "=r"(scaled)
          : "r"(twice_sum), "r"(by.multiplier), "r"(by.constant));
    scaled = (scaled + ((int32_t)twice_sum >> 31)) >> by.shift; /* halves away from zero */
    __asm("ssat %0, #8, %1" : "=r"(scaled) : "r"(scaled));
    return (int8_t)scaled;
}

void esq_winograd_finish(const uint32_t *sums, const int32_t *table, uint32_t pixels,
                         uint32_t pixel_bytes, int8_t *result) {
    for (uint32_t c = 0; c < ESQ_WINOGRAD_CHANNELS; c++, sums++, result++) {
        const int32_t *end = table + ESQ_WINOGRAD_CHANNELS + 3 * c;
        const struct ending by = {2u * (uint32_t)table[c], end[0], end[1], end[2]};
        const uint32_t e = sums[4] + sums[8];
        const uint32_t o = sums[4] - sums[8];
        const uint32_t f = sums[12] + sums[16];
        const uint32_t p = sums[12] - sums[16];
        const uint32_t last = 2 * p - o + 6 * sums[20];
        result[0] = finish(6 * sums[0] - 4 * e + f, 2, by);
        if (pixels > 1) {
            result[pixel_bytes] = finish(p - 2 * o, 1, by);
        }
        if (pixels > 2) {
            result[2 * pixel_bytes] = finish(f - e, 0, by);
        }
        if (pixels > 3) {
            result[3 * pixel_bytes] = finish(last, 0, by);
        }
    }
}

static void compute_row(const struct esq_winograd *params, const struct esq_op *op,
                        const int8_t *const *rows, uint32_t *tile, int8_t *result) {
    const struct esq_slot *output = op->output;
    const uint32_t block_words = ESQ_WINOGRAD_COLUMNS * params->steps * ESQ_WINOGRAD_CHANNELS;
    for (uint32_t x = 0; x < output->width; x += ESQ_WINOGRAD_PIXELS) {
        const uint32_t left = output->width - x;
        const uint32_t *weights = params->weights;
        const int32_t *table = params->table;
        transform_tile(params, op->input[0], rows, x, tile);
        for (uint32_t c = 0; c < output->channels; c += ESQ_WINOGRAD_CHANNELS) {
            uint32_t sums[ESQ_WINOGRAD_COLUMNS * ESQ_WINOGRAD_CHANNELS];
            esq_dsp_winograd(tile, weights, sums, params->steps / 8u, 0);
            esq_winograd_finish(sums, table, left, output->pixel_bytes, result + c);
            weights += block_words;
            table += ESQ_WINOGRAD_ROW;
        }
        result += ESQ_WINOGRAD_PIXELS * output->pixel_bytes;
    }
}

void esq_run_winograd_dsp(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_winograd *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    void *tile = arena + op->work_offset_bytes;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        compute_row(params, op, rows, tile, esq_row(arena, op->output, progress->out_row));
    }
}

#endif
