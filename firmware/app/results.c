#include "results.h"

#include <string.h>

#include "esq_port.h"
#include "frame.h"

#define ESQ_HEAD_BYTES 28u /* image, offset, total, ticks, stack, arena */

/* A byte that was written with the paint's value counts where any image writes another one. */
static void look_at_arena(struct esq_results *results) {
    uint32_t used = results->arena_bytes;
    while (used > results->arena_used && results->arena[used - 1] == ESQ_ARENA_PAINT) {
        used--;
    }
    results->arena_used = used;
}

void esq_results_keep(struct esq_results *results, const struct esq_engine *engine, uint32_t image,
                      uint64_t ticks) {
    uint32_t at = 0;
    uint32_t n_tensor = 0;
    const int8_t *values = esq_observed(engine, 0, &n_tensor);
    for (uint32_t i = 1; values != NULL && n_tensor <= results->n_bytes - at; i++) {
        memcpy(results->values + at, values, n_tensor);
        at += n_tensor;
        values = esq_observed(engine, i, &n_tensor);
    }
    results->image = image;
    results->ticks = ticks;
    results->is_kept = 1;
    look_at_arena(results);
}

uint32_t esq_results_pack(const struct esq_results *results, uint32_t offset, uint32_t most,
                          uint8_t *payload) {
    uint32_t n_bytes = results->n_bytes - offset;
    if (n_bytes > most) {
        n_bytes = most;
    }
    if (n_bytes > ESQ_FRAME_PAYLOAD_MAX - ESQ_HEAD_BYTES) {
        n_bytes = ESQ_FRAME_PAYLOAD_MAX - ESQ_HEAD_BYTES;
    }
    esq_put_u32(payload, results->image);
    esq_put_u32(payload + 4, offset);
    esq_put_u32(payload + 8, results->n_bytes);
    esq_put_u32(payload + 12, (uint32_t)results->ticks);
    esq_put_u32(payload + 16, (uint32_t)(results->ticks >> 32));
    esq_put_u32(payload + 20, esq_port_stack_bytes());
    esq_put_u32(payload + 24, results->arena_used);
    memcpy(payload + ESQ_HEAD_BYTES, results->values + offset, n_bytes);
    return ESQ_HEAD_BYTES + n_bytes;
}
