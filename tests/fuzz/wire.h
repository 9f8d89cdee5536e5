/* Frames of firmware/SPEC.md, section 2, written and read without the firmware's code. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stdint.h>

#define WIRE_PAYLOAD_MAX 768u
#define WIRE_BODY_MAX (4u + WIRE_PAYLOAD_MAX + 4u)

/* Bytes on the line. */
struct wire {
    uint8_t bytes[4096];
    uint32_t n_bytes;
};

/* One good frame. */
struct wire_frame {
    uint8_t body[WIRE_BODY_MAX]; /* type, seq, tag, payload, CRC */
    uint32_t n_payload;
};

/* Writes a frame of any type, with up to WIRE_PAYLOAD_MAX bytes; it is then alone on the line. */
void wire_put(struct wire *wire, uint8_t type, uint8_t seq, uint16_t tag, const uint8_t *payload,
              uint32_t n_payload);

/* Reads the frame that begins at byte `at`; returns where the next one begins, 0 where this one is
 * damaged or has no end. */
uint32_t wire_get(const struct wire *wire, uint32_t at, struct wire_frame *frame);

#endif
