#include "rows.h"

#include <stddef.h>
#include <string.h>

#define ESQ_BLOCK 32u /* values that are coded in the same way */
#define ESQ_WAY_BITS 3u
#define ESQ_WAY_PLAIN 6u /* 8 bits each; ways below are Rice codes with so many low bits */
#define ESQ_WAY_FLAT 7u  /* no bits: all are as predicted */
#define ESQ_ONES_MAX 12u /* in a Rice code; 8 bits that are the value follow so many */
#define ESQ_BITS_MAX (ESQ_ONES_MAX + 8u) /* of a value */
#define ESQ_COLOURS 3u /* channels of an image, of which the second is taken off the others */

/* Bits that have come. Above n_bits they are 0, and end the ones of a code that is cut: it is then
 * longer than what is there. */
struct reader {
    uint32_t bits, n_bits;
    const uint8_t *next, *end;
};

static uint32_t row_values(const struct esq_rows *rows) {
    return (uint32_t)rows->width * rows->channels;
}

void esq_rows_start(struct esq_rows *rows) {
    memset(rows->row, 0, row_values(rows));
    rows->at = 0;
    rows->bits = 0;
    rows->column = 0;
    rows->n_bits = 0;
    rows->left = 0;
}

int esq_rows_is_whole(const struct esq_rows *rows) { return rows->at == row_values(rows); }

int esq_rows_has_more(const struct esq_rows *rows) { return rows->n_bits >= 8u; }

static void refill(struct reader *reader) {
    while (reader->n_bits <= 24u && reader->next != reader->end) {
        reader->bits |= (uint32_t)*reader->next++ << reader->n_bits;
        reader->n_bits += 8u;
    }
}

/* Takes `n` differences of a block, folded: 0, -1, 1, -2 are 0, 1, 2, 3. Returns how many have come
 * whole. */
static uint32_t take_differences(struct reader *reader, uint32_t way, uint8_t *folded, uint32_t n) {
    uint32_t bits = reader->bits;
    uint32_t n_bits = reader->n_bits;
    const uint32_t low = (1u << way) - 1u;
    uint32_t i = 0;
    for (; i < n; i++) {
        if (n_bits < ESQ_BITS_MAX) {
            reader->bits = bits;
            reader->n_bits = n_bits;
            refill(reader);
            bits = reader->bits;
            n_bits = reader->n_bits;
        }
        uint32_t rest = bits;
        uint32_t ones = 0;
        while (rest & 1u) {
            rest >>= 1;
            ones++;
        }
        uint32_t n_value = ones + 1u + way;
        uint32_t value = ones << way | (rest >> 1 & low);
        if (ones >= ESQ_ONES_MAX) {
            n_value = ESQ_BITS_MAX;
            value = bits >> ESQ_ONES_MAX;
        }
        if (n_value > n_bits) {
            break;
        }
        folded[i] = (uint8_t)value;
        bits >>= n_value;
        n_bits -= n_value;
    }
    reader->bits = bits;
    reader->n_bits = n_bits;
    return i;
}

static uint32_t take_plain(struct reader *reader, uint8_t *folded, uint32_t n) {
    uint32_t i = 0;
    for (; i < n; i++) {
        refill(reader);
        if (reader->n_bits < 8u) {
            break;
        }
        folded[i] = (uint8_t)reader->bits;
        reader->bits >>= 8;
        reader->n_bits -= 8u;
    }
    return i;
}

static uint32_t take_folded(struct reader *reader, uint32_t way, uint8_t *folded, uint32_t n) {
    if (way == ESQ_WAY_FLAT) {
        memset(folded, 0, n);
        return n;
    }
    return way == ESQ_WAY_PLAIN ? take_plain(reader, folded, n)
                                : take_differences(reader, way, folded, n);
}

/* Writes values over those above them. Predicted is the median of left, above, and left + above -
 * corner, which follows an edge either way; left of the first column stands what is above. */
static void put(struct esq_rows *rows, const uint8_t *folded, uint32_t n) {
    int8_t *at = rows->row + rows->at;
    int32_t left = rows->column == 0 ? *at : at[-1];
    int32_t corner = rows->column == 0 ? *at : rows->corner;
    for (uint32_t i = 0; i < n; i++) {
        int32_t above = at[i];
        int32_t across = left - corner;
        int32_t down = above - corner;
        int32_t predicted = above + across;
        if ((across ^ down) >= 0) { /* the corner is not between them: the one that is farther */
            predicted = (across ^ (left - above)) < 0 ? above : left;
        }
        left = (int8_t)(predicted + ((folded[i] >> 1) ^ -(folded[i] & 1)));
        corner = above;
        at[i] = (int8_t)left;
    }
    rows->corner = (int8_t)corner;
}

/* Decodes what the block has in this channel of the row; returns 0 where the bits end before. */
static int take_run(struct esq_rows *rows, struct reader *reader) {
    uint8_t folded[ESQ_BLOCK];
    const uint32_t n_channel = (uint32_t)rows->width - rows->column;
    const uint32_t n_run = rows->left < n_channel ? rows->left : n_channel;
    const uint32_t n = take_folded(reader, rows->way, folded, n_run);
    put(rows, folded, n);
    rows->at += n;
    rows->left = (uint8_t)(rows->left - n);
    rows->column = (uint16_t)(n == n_channel ? 0 : rows->column + n);
    return n == n_run;
}

uint32_t esq_rows_take(struct esq_rows *rows, const uint8_t *bytes, uint32_t n_bytes) {
    struct reader reader = {rows->bits, rows->n_bits, bytes, bytes + n_bytes};
    int goes_on = 1;
    while (goes_on && !esq_rows_is_whole(rows)) {
        if (rows->left == 0) {
            refill(&reader);
            if (reader.n_bits < ESQ_WAY_BITS) {
                break;
            }
            rows->way = reader.bits & ((1u << ESQ_WAY_BITS) - 1u);
            rows->left = ESQ_BLOCK;
            reader.bits >>= ESQ_WAY_BITS;
            reader.n_bits -= ESQ_WAY_BITS;
        }
        goes_on = take_run(rows, &reader);
    }
    rows->bits = reader.bits;
    rows->n_bits = (uint8_t)reader.n_bits;
    return (uint32_t)(reader.next - bytes);
}

/* The channels lie one after the other; of colours the second first, and only what the others
 * differ from it. */
void esq_rows_fetch(struct esq_rows *rows, int8_t *values) {
    const uint32_t width = rows->width;
    const uint32_t channels = rows->channels;
    const int8_t *row = rows->row;
    rows->at = 0;
    if (values == NULL) {
        return;
    }
    for (uint32_t x = 0; x < width; x++, row++) {
        if (channels == ESQ_COLOURS) {
            values[0] = (int8_t)(row[0] + row[width]);
            values[1] = row[0];
            values[2] = (int8_t)(row[0] + row[2u * width]);
        } else {
            for (uint32_t c = 0; c < channels; c++) {
                values[c] = row[c * width];
            }
        }
        values += channels;
    }
}
