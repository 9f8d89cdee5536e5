/* Decodes streams from standard input, damaged ones too, each in memory of exactly its size.
 *
 * In, for each: u32 bytes without padding, u32 words, u8 table bits, u8 carries, u8 words at a
 * time, u8 whether there is room for masks, then the bytes and their padding. Out: the words.
 */
#include <stdio.h>
#include <stdlib.h>

#include "esq_stream.h"

struct head {
    uint32_t n_bytes;
    uint32_t words;
    uint8_t table_bits;
    uint8_t carries;
    uint8_t piece;
    uint8_t has_masks;
};

static int read_head(struct head *head) {
    uint8_t raw[12];
    if (fread(raw, sizeof raw, 1, stdin) != 1) {
        return 0;
    }
    head->n_bytes = raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16;
    head->words = raw[4] | (uint32_t)raw[5] << 8 | (uint32_t)raw[6] << 16;
    head->table_bits = raw[8];
    head->carries = raw[9];
    head->piece = raw[10];
    head->has_masks = raw[11];
    return 1;
}

static int decode(const struct head *head) {
    uint8_t *content = malloc(head->n_bytes + 4u);
    const uint32_t mask_bytes = head->has_masks ? 2u << ESQ_STREAM_MASK_BITS : 0;
    uint32_t *table = malloc((sizeof *table << head->table_bits) + mask_bytes);
    uint32_t *words = malloc(sizeof *words * head->words);
    if (!content || !table || !words || fread(content, head->n_bytes + 4u, 1, stdin) != 1) {
        return 1;
    }
    const struct esq_stream stream = {content, head->n_bytes, 0, 0};
    const struct esq_streamed streamed = {
        .stream = &stream,
        .table_bits = head->table_bits,
        .carries = head->carries,
        .masks = head->has_masks ? &esq_by_masks : 0,
    };
    struct esq_bits bits;
    esq_bits_begin(&bits, &streamed, table);
    for (uint32_t done = 0; done < head->words;) {
        const uint32_t left = head->words - done;
        const uint32_t some = left < head->piece ? left : head->piece;
        esq_decode(&bits, words + done, some);
        done += some;
    }
    const int failed = fwrite(words, sizeof *words, head->words, stdout) != head->words;
    free(content);
    free(table);
    free(words);
    return failed;
}

int main(void) {
    struct head head;
    while (read_head(&head)) {
        if (decode(&head) != 0) {
            return 1;
        }
    }
    return 0;
}
