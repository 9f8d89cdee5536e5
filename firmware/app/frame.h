/* Frames on the serial line, byte by byte in firmware/SPEC.md. Mirror: edgesq/link/frame.py. */
#ifndef ESQ_FRAME_H
#define ESQ_FRAME_H

#include <stdint.h>

#define ESQ_PROTOCOL_VERSION 2

#define ESQ_FRAME_HEAD_BYTES 4 /* type, seq, tag */
#define ESQ_FRAME_CRC_BYTES 4
/* Two full frames, 507 bytes each on the wire, fit a receive ring of 1 KB. A target whose line has
 * no rate defines more: a frame costs its host as much time as 1,000 bytes do. */
#ifndef ESQ_FRAME_PAYLOAD_MAX
#define ESQ_FRAME_PAYLOAD_MAX 496
#endif
#define ESQ_FRAME_MAX (ESQ_FRAME_HEAD_BYTES + ESQ_FRAME_PAYLOAD_MAX + ESQ_FRAME_CRC_BYTES)

enum esq_frame_type {
    ESQ_FRAME_HELLO = 0x01,
    ESQ_FRAME_DATA = 0x02,
    ESQ_FRAME_RESULT_GET = 0x03,
    ESQ_FRAME_TRACE = 0x04,
    ESQ_FRAME_OPS_GET = 0x05,
    ESQ_FRAME_ROW_GET = 0x06,
    ESQ_FRAME_BAUD = 0x07,
    ESQ_FRAME_CODED = 0x08,
    ESQ_FRAME_INFO = 0x81,
    ESQ_FRAME_ACK = 0x82,
    ESQ_FRAME_RESULT = 0x83,
    ESQ_FRAME_BUSY = 0x84,
    ESQ_FRAME_OPS = 0x85,
    ESQ_FRAME_ROW = 0x86,
    ESQ_FRAME_BAUD_SET = 0x87,
};

/* The last byte of an ACK. */
enum esq_ack_status {
    ESQ_ACK_GO = 0,         /* taken; goes on at next_offset */
    ESQ_ACK_AGAIN = 1,      /* something was lost: go back to next_offset */
    ESQ_ACK_DONE = 2,       /* the image is in and computed */
    ESQ_ACK_REFUSED = 3,    /* such a frame makes no sense to the board */
    ESQ_ACK_HELD = 4,       /* a traced operator waits for the host */
    ESQ_ACK_NO_SESSION = 5, /* no HELLO with this tag, or the board was reset since */
};

enum esq_frame_event {
    ESQ_EVENT_NONE, /* in the middle of a frame, or between frames */
    ESQ_EVENT_FRAME,
    ESQ_EVENT_DAMAGED,
};

/* Takes COBS apart as the bytes come; zero-initialise. */
struct esq_decoder {
    uint8_t bytes[ESQ_FRAME_MAX]; /* type, seq, tag, payload, CRC */
    uint16_t n_bytes;
    uint8_t code; /* of the current block; 0: no block yet */
    uint8_t left; /* bytes that the current block still lacks */
    uint8_t overflow;
};

/* Takes one byte from the line. After ESQ_EVENT_FRAME, bytes [n_bytes] hold a frame whose CRC is
 * right, until esq_decoder_reset; call that before the next push after any event but NONE. */
enum esq_frame_event esq_decoder_push(struct esq_decoder *decoder, uint8_t byte);

/* Forgets what came since the last delimiter. */
void esq_decoder_reset(struct esq_decoder *decoder);

/* Sends a frame. `frame` holds head, payload [n_payload] and CRC; this fills in head and CRC. */
void esq_frame_send(uint8_t *frame, uint32_t n_payload, enum esq_frame_type type, uint8_t seq,
                    uint16_t tag);

/* Little-endian fields at any alignment. */
uint16_t esq_get_u16(const uint8_t *bytes);
uint32_t esq_get_u32(const uint8_t *bytes);
void esq_put_u16(uint8_t *bytes, uint32_t value);
void esq_put_u32(uint8_t *bytes, uint32_t value);

#endif
