/* Weights decoded from a stream of Huffman codes; see edgesq/compress/stream.py.
 *
 * A table indexed by the next bits of the stream gives two weights at a time; of mostly zeros, one
 * table gives which of four weights are not zero, and another one these. Whatever a stream says,
 * nothing is read beyond its end and its padding, and nothing is written beyond what was asked for;
 * that it says what export wrote, esq_damaged_weights() has made sure of.
 */
#ifndef ESQ_STREAM_H
#define ESQ_STREAM_H

#include "esq_ops.h"

/* Longest code of a mask. */
#define ESQ_STREAM_MASK_BITS 7u

/* A stream and how far it was read. */
struct esq_bits {
    /* [2^table_bits]: two weights, bits of the first, bits of both or 0; with masks one weight, as
     * the first of two, and its bits */
    const uint32_t *table;
    uint32_t mask;
    const uint8_t *bits;
    uint32_t place;        /* next bit */
    uint32_t end;          /* bits there are */
    uint32_t carries;      /* as of struct esq_streamed */
    const uint16_t *masks; /* [2^ESQ_STREAM_MASK_BITS]: mask, its bits; 0: no masks */
    const struct esq_by_masks *by_masks;
};

/* What only streams with masks need. */
struct esq_by_masks {
    /* Makes `masks` from the code lengths of `symbols` of them, by way of `table`. */
    void (*make)(const uint8_t *lengths, uint32_t symbols, uint32_t *table, uint16_t *masks);
    /* Words up to `end` that the stream surely has. */
    void (*inside)(struct esq_bits *decoder, uint32_t *to, const uint32_t *end);
    /* The next word; 0 behind the end. */
    uint32_t (*word)(struct esq_bits *decoder);
};

/* Makes `table`, uint32 [2^streamed->table_bits], with masks uint16 [2^ESQ_STREAM_MASK_BITS] behind
 * it, and stands before the first weight. */
void esq_bits_begin(struct esq_bits *decoder, const struct esq_streamed *streamed, uint32_t *table);

/* Writes the next 4 * `words` weights, four to a word. A stream that ends early gives zeros. */
void esq_decode(struct esq_bits *decoder, uint32_t *to, uint32_t words);

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) /* whose assembler takes them */
#define ESQ_HAS_DSP_DECODERS
/* Words up to `end` that the stream surely has; see src/dsp/esq_stream_kernel.S. */
void esq_dsp_decode(struct esq_bits *decoder, uint32_t *to, const uint32_t *end);

/* The same of a stream with masks; see src/dsp/esq_masks_kernel.S. */
void esq_dsp_decode_masks(struct esq_bits *decoder, uint32_t *to, const uint32_t *end);
#endif

/* The part of an operator's working memory that begins `offset_bytes` behind it. */
static inline void *esq_work_at(const struct esq_op *op, int8_t *arena, uint32_t offset_bytes) {
    return arena + op->work_offset_bytes + offset_bytes;
}

#endif
