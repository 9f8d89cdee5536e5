/* Why a table of pairs: one look-up serves two weights, and what it gives are the bytes as they lie
 * in memory, for kernels of every family. On the DSP extension two weights share a 16-bit lane as
 * 256 A + B; there the table carries what a negative B takes from A.
 */
#include "esq_stream.h"

#include <string.h>

#define ESQ_HEADER_BYTES 3u
#define ESQ_WORD_WEIGHTS 4u
#define ESQ_MASKS (1u << ESQ_WORD_WEIGHTS)

/* A word takes at most this many bits, weight by weight, with its mask. */
#define ESQ_WORD_BITS (ESQ_STREAM_MASK_BITS + ESQ_WORD_WEIGHTS * ESQ_STREAM_MAX_TABLE_BITS)

/* Of a code, as half a byte says it. */
#define ESQ_MAX_LENGTH 15u

/* Of a table's entry. */
#define ESQ_VALUE_SHIFT 16u
#define ESQ_FIRST_SHIFT 8u
#define ESQ_LENGTH_MASK 0xffu

/* 25 bits at least, from bit `place` on. */
static inline uint32_t window(const uint8_t *bits, uint32_t place) {
    uint32_t word;
    memcpy(&word, bits + (place >> 3), sizeof word);
    return word >> (place & 7u);
}

/* The code lengths of a stream: symbols and where their lengths stand, two to a byte. */
struct code {
    const uint8_t *lengths;
    uint32_t symbols;
    uint32_t lowest;
    uint32_t longest; /* that there is room for; longer ones are left out */
};

static inline uint32_t length_of(const struct code *code, uint32_t symbol) {
    const uint32_t both = code->lengths[symbol >> 1];
    return both >> 4u * (symbol & 1u) & 15u;
}

/* The code behind `code` of `length` bits, both from the last bit to the first. */
static inline uint32_t following(uint32_t code, uint32_t length) {
    uint32_t bit = 1u << length >> 1;
    while (code & bit) {
        code ^= bit;
        bit >>= 1;
    }
    return code | bit;
}

static uint32_t reversed(uint32_t code, uint32_t length) {
    uint32_t result = 0;
    for (; length > 0; length--) {
        result = result << 1 | (code & 1u);
        code >>= 1;
    }
    return result;
}

/* The first code of every length, from its last bit to its first. */
static void first_codes(const struct code *code, uint32_t first[ESQ_MAX_LENGTH + 1u]) {
    uint32_t next = 0;
    uint32_t counts[ESQ_MAX_LENGTH + 1u] = {0};
    for (uint32_t symbol = 0; symbol < code->symbols; symbol++) {
        counts[length_of(code, symbol)]++;
    }
    for (uint32_t length = 1; length <= code->longest; length++) {
        first[length] = reversed(next, length);
        next = (next + counts[length]) << 1;
    }
}

/* Two weights as they lie in 16 bits, the first one below. */
static inline uint32_t beside(uint32_t first, uint32_t second, uint32_t carries) {
    return ((second << 8) + (first ^ carries) - carries) & 0xffffu;
}

/* Entries of single weights: all bits that begin with their codes. Bits that are no code stand for
 * a zero, and the place moves on. The length stands in an entry as often as `length_unit` says. */
static void enter_singles(const struct code *code, uint32_t carries, uint32_t length_unit,
                          uint32_t *table) {
    const uint32_t size = 1u << code->longest;
    uint32_t next[ESQ_MAX_LENGTH + 1u];
    for (uint32_t at = 0; at < size; at++) {
        table[at] = length_unit;
    }
    first_codes(code, next);
    for (uint32_t symbol = 0; symbol < code->symbols; symbol++) {
        const uint32_t length = length_of(code, symbol);
        if (length == 0 || length > code->longest) {
            continue;
        }
        const uint32_t weight = (code->lowest + symbol) & ESQ_LENGTH_MASK;
        const uint32_t entry = beside(weight, 0, carries) << ESQ_VALUE_SHIFT | length * length_unit;
        for (uint32_t at = next[length]; at < size; at += 1u << length) {
            table[at] = entry;
        }
        next[length] = following(next[length], length);
    }
}

/* What two single entries say together. The bits behind a code are a smaller number than all bits,
 * so from the last entry to the first single ones can be read in place. */
static void pair_up(uint32_t table_bits, uint32_t *table) {
    for (uint32_t at = 1u << table_bits; at-- > 0;) {
        const uint32_t first = table[at];
        const uint32_t second = table[at >> (first & ESQ_LENGTH_MASK)];
        const uint32_t pair = first + (second << 8 & 0xff000000u) + (second & ESQ_LENGTH_MASK);
        table[at] = (pair & ESQ_LENGTH_MASK) <= table_bits ? pair : first & ~ESQ_LENGTH_MASK;
    }
}

static inline uint32_t at_most(uint32_t most, uint32_t value) {
    return value < most ? value : most;
}

/* A table of masks, made where that of weights will be. */
static void make_masks(const uint8_t *lengths, uint32_t symbols, uint32_t *table, uint16_t *masks) {
    const struct code code = {lengths, symbols, 0, ESQ_STREAM_MASK_BITS};
    enter_singles(&code, 0, 1u, table);
    for (uint32_t at = 0; at >> ESQ_STREAM_MASK_BITS == 0; at++) {
        masks[at] = (uint16_t)(table[at] >> ESQ_VALUE_SHIFT << ESQ_FIRST_SHIFT |
                               (table[at] & ESQ_LENGTH_MASK));
    }
}

void esq_bits_begin(struct esq_bits *decoder, const struct esq_streamed *streamed,
                    uint32_t *table) {
    const uint8_t *header = streamed->stream->content;
    const uint8_t *bits = header + ESQ_HEADER_BYTES;
    const uint32_t size = 1u << streamed->table_bits;
    uint32_t left = streamed->stream->n_bytes;
    left -= at_most(left, ESQ_HEADER_BYTES);
    uint16_t *masks = 0;
    if (header[0] != 0 && streamed->masks) {
        const uint32_t mask_bytes = at_most(left, ESQ_MASKS / 2u);
        masks = (uint16_t *)(table + size);
        streamed->masks->make(bits, 2u * mask_bytes, table, masks);
        bits += mask_bytes;
        left -= mask_bytes;
    }
    const uint32_t length_bytes = at_most(left, (header[2] + 2u) / 2u);
    const struct code code = {bits, at_most(2u * length_bytes, header[2] + 1u), header[1],
                              streamed->table_bits};
    enter_singles(&code, streamed->carries, masks ? 1u : 1u | 1u << ESQ_FIRST_SHIFT, table);
    if (!masks) {
        pair_up(streamed->table_bits, table);
    }
    *decoder = (struct esq_bits){
        .table = table,
        .mask = size - 1u,
        .carries = streamed->carries,
        .bits = bits + length_bytes,
        .end = (left - length_bytes) * 8u,
        .masks = masks,
        .by_masks = streamed->masks,
    };
}

/* 0 where the stream has ended. */
static uint32_t next_weight(struct esq_bits *decoder) {
    if (decoder->place >= decoder->end) {
        return 0;
    }
    const uint32_t entry = decoder->table[window(decoder->bits, decoder->place) & decoder->mask];
    decoder->place += entry >> ESQ_FIRST_SHIFT & ESQ_LENGTH_MASK;
    return entry >> ESQ_VALUE_SHIFT & ESQ_LENGTH_MASK;
}

/* One weight of a stream with masks, as the first of two; 0 where the stream has ended. */
static inline uint32_t masked_weight(struct esq_bits *decoder) {
    if (decoder->place >= decoder->end) {
        return 0;
    }
    const uint32_t entry = decoder->table[window(decoder->bits, decoder->place) & decoder->mask];
    decoder->place += entry & ESQ_LENGTH_MASK;
    return entry >> ESQ_VALUE_SHIFT;
}

/* Two weights as they lie in 16 bits; of `mask`, bit 0 says whether the first one is not zero. */
static inline uint32_t masked_half(struct esq_bits *decoder, uint32_t mask) {
    const uint32_t first = mask & 1u ? masked_weight(decoder) : 0;
    return mask & 2u ? first + (masked_weight(decoder) << 8) : first;
}

static uint32_t word_by_mask(struct esq_bits *decoder) {
    if (decoder->place >= decoder->end) {
        return 0;
    }
    const uint32_t bits = window(decoder->bits, decoder->place);
    const uint32_t entry = decoder->masks[bits & ((1u << ESQ_STREAM_MASK_BITS) - 1u)];
    const uint32_t mask = entry >> ESQ_FIRST_SHIFT;
    decoder->place += entry & ESQ_LENGTH_MASK;
    if (mask == 0) {
        return 0;
    }
    const uint32_t lower = masked_half(decoder, mask) & 0xffffu;
    return lower | masked_half(decoder, mask >> 2) << 16;
}

static uint32_t half_by_weights(struct esq_bits *decoder) {
    const uint32_t first = next_weight(decoder);
    return beside(first, next_weight(decoder), decoder->carries);
}

static uint32_t word_by_weights(struct esq_bits *decoder) {
    const uint32_t lower = half_by_weights(decoder);
    return lower | half_by_weights(decoder) << 16;
}

static uint32_t next_word(struct esq_bits *decoder) {
    return decoder->masks ? decoder->by_masks->word(decoder) : word_by_weights(decoder);
}

#if defined(ESQ_HAS_DSP_DECODERS)
#define ESQ_DECODE_PAIRS esq_dsp_decode
#define ESQ_DECODE_MASKS esq_dsp_decode_masks
#else
static void decode_masks(struct esq_bits *decoder, uint32_t *to, const uint32_t *end) {
    struct esq_bits local = *decoder;
    while (to < end) {
        *to++ = word_by_mask(&local);
    }
    decoder->place = local.place;
}

static uint32_t half_inside(struct esq_bits *decoder) {
    const uint32_t entry = decoder->table[window(decoder->bits, decoder->place) & decoder->mask];
    if ((entry & ESQ_LENGTH_MASK) == 0) {
        return half_by_weights(decoder);
    }
    decoder->place += entry & ESQ_LENGTH_MASK;
    return entry >> ESQ_VALUE_SHIFT;
}

/* Words that the stream surely has. Where a pair is too long for the table, its entry moves the
 * place by 0 bits, so that the second entry is the same one: it alone has to be looked at. */
static void decode_pairs(struct esq_bits *decoder, uint32_t *to, const uint32_t *end) {
    const uint32_t *table = decoder->table;
    const uint32_t mask = decoder->mask;
    while (to < end) {
        const uint32_t bits = window(decoder->bits, decoder->place);
        const uint32_t lower = table[bits & mask];
        const uint32_t upper = table[bits >> (lower & ESQ_LENGTH_MASK) & mask];
        if ((upper & ESQ_LENGTH_MASK) == 0) {
            const uint32_t half = half_inside(decoder);
            *to++ = half | half_inside(decoder) << 16;
            continue;
        }
        decoder->place += (lower & ESQ_LENGTH_MASK) + (upper & ESQ_LENGTH_MASK);
        *to++ = lower >> ESQ_VALUE_SHIFT | (upper & 0xffff0000u);
    }
}
#define ESQ_DECODE_PAIRS decode_pairs
#define ESQ_DECODE_MASKS decode_masks
#endif

const struct esq_by_masks esq_by_masks = {make_masks, ESQ_DECODE_MASKS, word_by_mask};

static void decode_inside(struct esq_bits *decoder, uint32_t *to, const uint32_t *end) {
    if (decoder->masks) {
        decoder->by_masks->inside(decoder, to, end);
    } else {
        ESQ_DECODE_PAIRS(decoder, to, end);
    }
}

void esq_decode(struct esq_bits *decoder, uint32_t *to, uint32_t words) {
    const uint32_t *end = to + words;
    while (to < end) {
        const uint32_t left = decoder->end > decoder->place ? decoder->end - decoder->place : 0;
        const uint32_t inside = at_most((uint32_t)(end - to), left / ESQ_WORD_BITS);
        decode_inside(decoder, to, to + inside);
        to += inside;
        if (inside == 0) {
            *to++ = next_word(decoder);
        }
    }
}
