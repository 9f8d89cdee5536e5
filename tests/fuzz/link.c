/* One input of the fuzzer is what a hostile host does to the board; the board is the firmware's
 * link around a real network of a few pixels.
 *
 * Byte 0: bit 0 set: all further bytes go over the line as they are. Else they are commands, below,
 * after a HELLO. The other bits: milliseconds between two looks at the clock.
 *
 * Whatever came, each answer is held against firmware/SPEC.md, and then the board must open a
 * session and compute an image right. */
#include <stddef.h>
#include <string.h>

#include "board.h"

enum command {
    TAG = 0xF0,    /* n: the next frame has a tag that is n off */
    BROKEN = 0xF1, /* n: of the next frame, byte n is inverted */
    CUT = 0xF2,    /* n: of the next frame, only n bytes are sent */
    SEQ = 0xF3,    /* n: the next frame has number n */
    PASS = 0xF4,   /* n: n times 50 ms pass */
    LINE = 0xF5,   /* n, bytes [n]: over the line as they are */
    /* All others, n, fill, bytes [n]: a frame of that type, of these bytes and 2 * fill more. */
};

struct input {
    const uint8_t *next;
    size_t left;
};

/* What is to be done to the next frame. */
struct harm {
    uint16_t tag;
    int broken, cut; /* place; -1: not */
};

static uint8_t take(struct input *input) {
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->next++;
}

static const uint8_t *take_many(struct input *input, uint8_t *n_bytes) {
    const uint8_t *first = input->next;
    if (*n_bytes > input->left) {
        *n_bytes = (uint8_t)input->left;
    }
    input->next += *n_bytes;
    input->left -= *n_bytes;
    return first;
}

static void send_frame(struct input *input, uint8_t type, uint8_t *seq, struct harm *harm) {
    uint8_t n_bytes = take(input);
    const uint32_t n_fill = 2u * take(input);
    const uint8_t *bytes = take_many(input, &n_bytes);
    static uint8_t payload[255 + 2 * 255];
    static struct wire wire;
    memcpy(payload, bytes, n_bytes);
    for (uint32_t i = 0; i < n_fill; i++) {
        payload[n_bytes + i] = (uint8_t)(i * type);
    }
    const uint16_t tag = (uint16_t)(BOARD_TAG + harm->tag);
    wire_put(&wire, type, (*seq)++, tag, payload, n_bytes + n_fill);
    if (harm->broken >= 0) {
        wire.bytes[(uint32_t)harm->broken % wire.n_bytes] ^= 0xFF;
    }
    if (harm->cut >= 0) {
        wire.n_bytes = (uint32_t)harm->cut % wire.n_bytes;
    }
    board_hear(wire.bytes, wire.n_bytes);
    *harm = (struct harm){0, -1, -1};
}

static void obey(struct input *input) {
    struct harm harm = {0, -1, -1};
    uint8_t seq = 1;
    while (input->left != 0) {
        const uint8_t command = take(input);
        uint8_t n = 0;
        switch (command) {
        case TAG: harm.tag = take(input); break;
        case BROKEN: harm.broken = take(input); break;
        case CUT: harm.cut = take(input); break;
        case SEQ: seq = take(input); break;
        case PASS: board_pass(take(input) * 50u); break;
        case LINE: {
            n = take(input);
            const uint8_t *bytes = take_many(input, &n);
            board_hear(bytes, n);
            break;
        }
        default: send_frame(input, command, &seq, &harm);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes) {
    if (n_bytes == 0) {
        return 0;
    }
    board_start(data[0] >> 1);
    if (data[0] & 1) {
        board_hear(data + 1, (uint32_t)n_bytes - 1);
    } else {
        struct input input = {data + 1, n_bytes - 1};
        board_hello();
        obey(&input);
    }
    board_must_work();
    return 0;
}
