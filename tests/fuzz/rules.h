/* What firmware/SPEC.md says of the board's answers. */
#ifndef FUZZ_RULES_H
#define FUZZ_RULES_H

#include "must.h"
#include "wire.h"

/* What the answers of one board are held against. */
struct rules {
    uint16_t tag;
    uint32_t most_image_bytes; /* of one that comes coded */
    uint32_t result_bytes;
    uint32_t arena_bytes;
    uint16_t op_count;
};

/* Holds that `answers` are whole frames with right lengths and fields: any number of BUSY, then one
 * other at most. */
void check_answers(const struct wire *answers, const struct rules *rules);

/* Reads the last frame in `answers`, which must be of `type`. */
void last_answer(const struct wire *answers, uint8_t type, struct wire_frame *frame);

#endif
