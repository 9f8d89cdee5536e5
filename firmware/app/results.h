/* The observed values of the last finished image, kept while the next one streams in. */
#ifndef ESQ_RESULTS_H
#define ESQ_RESULTS_H

#include "edgesq.h"

#define ESQ_ARENA_PAINT 0xA5u

/* Zero-initialise, then set values, n_bytes, arena and arena_bytes. */
struct esq_results {
    uint8_t *values; /* [n_bytes]: the observed tensors one after the other, int8 */
    uint32_t n_bytes;
    const uint8_t *arena; /* [arena_bytes]: filled with ESQ_ARENA_PAINT before esq_init */
    uint32_t arena_bytes;
    uint32_t arena_used; /* bytes from the arena's start up to the last one ever written */
    uint64_t ticks;      /* spent in the engine for this image */
    uint32_t image;
    uint8_t is_kept; /* 0: there are none */
};

/* Copies what `engine`, which is done, has computed for `image`. */
void esq_results_keep(struct esq_results *results, const struct esq_engine *engine, uint32_t image,
                      uint64_t ticks);

/* Writes the payload of RESULT, at most `most` values from `offset` (at most n_bytes) on; returns
 * its bytes. */
uint32_t esq_results_pack(const struct esq_results *results, uint32_t offset, uint32_t most,
                          uint8_t *payload);

#endif
