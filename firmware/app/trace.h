/* What each operator takes and computes: ticks, a CRC-32 of its output, and holds, in which the
 * host reads the rows it works on. Frames and their fields are in firmware/SPEC.md. */
#ifndef ESQ_TRACE_H
#define ESQ_TRACE_H

#include "edgesq.h"

#define ESQ_TRACE_BYTES 3u    /* of TRACE: flags, operator to hold */
#define ESQ_OPS_GET_BYTES 6u  /* image, first operator */
#define ESQ_ROW_GET_BYTES 12u /* image, which tensor, row, offset, go on */

/* Of one operator in the current image. */
struct esq_op_trace {
    uint32_t crc;      /* of the output rows that are complete; 0 where CRCs are not asked for */
    uint32_t ticks[2]; /* low, high: spent in its steps */
};

/* Zero-initialise, then set ops and op_count and call esq_trace_forget. */
struct esq_trace {
    struct esq_op_trace *ops; /* [op_count] */
    uint32_t hold;            /* number of the hold, from 1 on in each image */
    uint16_t op_count;
    uint16_t hold_op;       /* to hold after every step of it; ESQ_NO_OP: none */
    uint16_t next_hold_op;  /* from the next image on */
    uint8_t takes_crc;      /* 1: CRCs are taken */
    uint8_t next_takes_crc; /* from the next image on */
    uint8_t is_held;        /* 1: hold_op waits for the host */
};

/* A host opened a session: no CRCs, no holds from now on. */
void esq_trace_forget(struct esq_trace *trace);

/* Takes TRACE for the next image: 0 where it makes no sense. */
int esq_trace_ask(struct esq_trace *trace, const uint8_t *request, uint32_t n_bytes);

/* A new image begins: nothing is held, all counts are 0. */
void esq_trace_start(struct esq_trace *trace);

/* Runs one step of the engine, adding what an operator took to its own ticks and to *ticks. What
 * the trace itself takes is not counted. */
enum esq_status esq_trace_step(struct esq_trace *trace, struct esq_engine *engine, uint64_t *ticks);

/* Ends hold number `hold`: 0 where that is not the one. */
int esq_trace_release(struct esq_trace *trace, uint32_t hold);

/* Fills the payload of OPS from operator `first` on, with room for `n_room` bytes; returns its
 * bytes, 0 where there is no such operator. */
uint32_t esq_trace_put_ops(const struct esq_trace *trace, uint32_t image, uint32_t first,
                           uint8_t *payload, uint32_t n_room);

/* Fills the payload of ROW for the operator held, as a whole ROW_GET asks; returns its bytes, 0
 * where there is no such tensor, row or offset. `request` may lie where `payload` does. */
uint32_t esq_trace_put_row(const struct esq_trace *trace, const struct esq_engine *engine,
                           const uint8_t *request, uint8_t *payload, uint32_t n_room);

#endif
