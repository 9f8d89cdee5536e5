/* Rows of an image out of a lossless code, bit by bit in firmware/SPEC.md, section 8.
 *
 * Holds one row: a value is written over the one above it, from which it was predicted. Any bytes
 * are an image. Mirror: edgesq/link/rows.py. */
#ifndef ESQ_ROWS_H
#define ESQ_ROWS_H

#include <stdint.h>

/* Zero-initialise, then set row, width and channels. */
struct esq_rows {
    int8_t *row; /* [channels][width]: decoded up to `at`, from there on the row before */
    uint16_t width, channels;
    uint32_t at;     /* values of the row that are decoded */
    uint32_t bits;   /* that came and are not decoded, the next one lowest; above n_bits 0 */
    uint16_t column; /* of the next value */
    uint8_t n_bits;  /* in bits */
    uint8_t left;    /* values that the block still has */
    uint8_t way;     /* in which the block is coded */
    int8_t corner;   /* what stood above the last value */
};

/* An image begins. */
void esq_rows_start(struct esq_rows *rows);

/* Decodes until the row is whole or the bytes [n_bytes] are used up; returns how many were taken.
 * What was taken may hold more rows: call again, even without a byte, after esq_rows_fetch. */
uint32_t esq_rows_take(struct esq_rows *rows, const uint8_t *bytes, uint32_t n_bytes);

/* Whether the row is whole: it must be fetched before the next one is decoded. */
int esq_rows_is_whole(const struct esq_rows *rows);

/* After the image's last row: whether a byte behind it was taken. */
int esq_rows_has_more(const struct esq_rows *rows);

/* Fetches the whole row as int8 [width][channels], unless `values` is NULL; the next one begins. */
void esq_rows_fetch(struct esq_rows *rows, int8_t *values);

#endif
