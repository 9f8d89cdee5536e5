/* The board's side of the protocol in firmware/SPEC.md: images in, results out.
 *
 * Holds one frame, never an image: bytes go straight into the engine's input row. */
#ifndef ESQ_LINK_H
#define ESQ_LINK_H

#include "baud.h"
#include "edgesq.h"
#include "frame.h"
#include "info.h"
#include "results.h"
#include "rows.h"
#include "trace.h"

/* Zero-initialise, then set engine, identity, damaged_op, the place for results, row, width and
 * channels of rows, and ops and op_count of trace. */
struct esq_link {
    struct esq_engine *engine; /* esq_init done */
    const struct esq_identity *identity;
    struct esq_decoder decoder;
    struct esq_results results; /* of the last finished image */
    struct esq_baud baud;
    struct esq_trace trace;
    struct esq_rows rows; /* of an image that comes coded */
    uint64_t ticks;       /* spent in operators for this image */
    uint32_t image;       /* number of the current image, or of the one before the first */
    uint32_t offset;      /* bytes of it taken, as they came */
    uint32_t column;      /* of them, those of a row that is not whole */
    uint32_t first;       /* number of the session's first image */
    uint32_t steps;       /* images of a sequence: state is reset before each so many; 0: never */
    uint32_t heard;       /* esq_port_ticks since when the host waits for a word */
    uint16_t tag;         /* of the host's session */
    uint16_t n_rows;      /* of the current image that are whole */
    uint16_t damaged_op;  /* whose weights in flash are not what export wrote; ESQ_NO_OP: none */
    uint8_t seq;          /* of the last good frame */
    uint8_t is_open;      /* 1: HELLO came */
    uint8_t is_done;      /* 1: the current image is computed, the next one may begin */
    uint8_t is_coded;     /* 1: the current image comes coded */
    uint8_t status;       /* what the engine said last, enum esq_status */
};

/* Takes one byte from the line; computes and answers as needed before it returns. */
void esq_link_push(struct esq_link *link, uint8_t byte);

/* Does what is due without a byte; returns whether it must be called again within a moment. */
int esq_link_waits_for_a_time(struct esq_link *link);

#endif
