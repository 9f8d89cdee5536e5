/* One input of the fuzzer is a stream and how it is decoded, each buffer of exactly its size.
 *
 * Byte 0: bits 0 to 2: table bits above 7, modulo 5; bit 3: two weights stand as 256 A + B; bit 4:
 * there is room for masks. Byte 1: words at a time, less one. Bytes 2 and 3: words. Then the
 * stream.
 *
 * Whatever it is, decoding ends, stays in its memory, and gives the same words in pieces as at
 * once. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "esq_stream.h"
#include "must.h"

#define HEAD_BYTES 4u
#define PADDING_BYTES 4u
#define MIN_TABLE_BITS 7u
#define MAX_WORDS 1023u

/* Bits that a decoder may be behind the end: it looks at the next code where one more bit is
 * left. */
#define MAX_BEHIND ESQ_STREAM_MAX_TABLE_BITS

static void decode(struct esq_streamed *streamed, uint32_t words, uint32_t piece, uint32_t *to) {
    const size_t mask_bytes = streamed->masks ? sizeof(uint16_t) << ESQ_STREAM_MASK_BITS : 0;
    uint32_t *table = malloc((sizeof *table << streamed->table_bits) + mask_bytes);
    must(table != 0, "no memory for the tables");
    struct esq_bits bits;
    esq_bits_begin(&bits, streamed, table);
    for (uint32_t done = 0; done < words;) {
        const uint32_t left = words - done;
        const uint32_t some = left < piece ? left : piece;
        esq_decode(&bits, to + done, some);
        must(bits.place < bits.end + MAX_BEHIND, "the decoder is behind the end");
        done += some;
    }
    free(table);
}

static void check(const uint8_t *head, const struct esq_stream *stream) {
    const uint32_t words = (head[2] | (uint32_t)head[3] << 8) & MAX_WORDS;
    struct esq_streamed streamed = {
        .stream = stream,
        .table_bits = (uint8_t)(MIN_TABLE_BITS +
                                (head[0] & 7u) % (ESQ_STREAM_MAX_TABLE_BITS - MIN_TABLE_BITS + 1u)),
        .carries = head[0] & 8u ? 0x80 : 0,
        .masks = head[0] >> 4 & 1u ? &esq_by_masks : 0,
    };
    uint32_t *pieces = malloc(words * sizeof *pieces);
    uint32_t *whole = malloc(words * sizeof *whole);
    must(words == 0 || (pieces && whole), "no memory for the words");
    decode(&streamed, words, head[1] + 1u, pieces);
    decode(&streamed, words, words, whole);
    must(words == 0 || memcmp(pieces, whole, words * sizeof *whole) == 0,
         "pieces are not what the whole is");
    free(pieces);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes) {
    if (n_bytes < HEAD_BYTES) {
        return 0;
    }
    const size_t length = n_bytes - HEAD_BYTES;
    uint8_t *content = calloc(length + PADDING_BYTES, 1);
    must(content != 0, "no memory for the stream");
    memcpy(content, data + HEAD_BYTES, length);
    const struct esq_stream stream = {content, (uint32_t)length, 0, 0};
    check(data, &stream);
    free(content);
    return 0;
}
