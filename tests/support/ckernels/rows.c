/* Decodes coded images from standard input, any bytes among them, each in memory of exactly its
 * size.
 *
 * In, for each: u32 bytes, u32 bytes at a time, u16 H, u16 W, u16 C, then the bytes. Out: int8
 * [H, W, C], 0 in rows that did not become whole, u32 rows that did, u32 whether bytes follow the
 * last one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rows.h"

struct head {
    uint32_t n_bytes;
    uint32_t piece;
    uint32_t height;
    uint32_t width;
    uint32_t channels;
};

static int read_head(struct head *head) {
    uint8_t raw[14];
    if (fread(raw, sizeof raw, 1, stdin) != 1) {
        return 0;
    }
    head->n_bytes = raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16;
    head->piece = raw[4] | (uint32_t)raw[5] << 8 | (uint32_t)raw[6] << 16;
    head->height = raw[8] | (uint32_t)raw[9] << 8;
    head->width = raw[10] | (uint32_t)raw[11] << 8;
    head->channels = raw[12] | (uint32_t)raw[13] << 8;
    return 1;
}

/* Returns how many rows became whole. */
static uint32_t decode(const struct head *head, struct esq_rows *rows, const uint8_t *content,
                       int8_t *image, uint32_t *taken) {
    const uint32_t n_row = head->width * head->channels;
    uint32_t n_rows = 0;
    int is_whole = 1;
    *taken = 0;
    esq_rows_start(rows);
    while (n_rows < head->height && (is_whole || *taken < head->n_bytes)) {
        const uint32_t left = head->n_bytes - *taken;
        /* A piece has a copy of its own, so that a read beyond it shows. */
        const uint32_t n = left < head->piece ? left : head->piece;
        uint8_t *piece = malloc(n);
        for (uint32_t i = 0; i < n; i++) {
            piece[i] = content[*taken + i];
        }
        *taken += esq_rows_take(rows, piece, n);
        free(piece);
        is_whole = esq_rows_is_whole(rows);
        if (is_whole) {
            esq_rows_fetch(rows, image + n_rows * n_row);
            n_rows++;
        }
    }
    return n_rows;
}

static int run(const struct head *head) {
    const uint32_t n_row = head->width * head->channels;
    uint8_t *content = malloc(head->n_bytes);
    int8_t *image = calloc(head->height, n_row);
    struct esq_rows rows = {
        .row = malloc(n_row), .width = (uint16_t)head->width, .channels = (uint16_t)head->channels};
    if (!content || !image || !rows.row ||
        fread(content, 1, head->n_bytes, stdin) != head->n_bytes) {
        return 1;
    }
    uint32_t taken = 0;
    uint32_t told[2];
    told[0] = decode(head, &rows, content, image, &taken);
    told[1] = told[0] == head->height && (taken != head->n_bytes || esq_rows_has_more(&rows));
    const int failed = fwrite(image, n_row, head->height, stdout) != head->height ||
                       fwrite(told, sizeof told, 1, stdout) != 1;
    free(content);
    free(image);
    free(rows.row);
    return failed;
}

int main(void) {
    struct head head;
    while (read_head(&head)) {
        if (run(&head) != 0) {
            return 1;
        }
    }
    return 0;
}
