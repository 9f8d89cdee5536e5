#include "rules.h"

#include "frame.h"

#define INFO_HEAD_BYTES 62u
#define INFO_DAMAGED 0x80u
#define RESULT_HEAD_BYTES 28u
#define OPS_HEAD_BYTES 9u
#define OP_BYTES 12u
#define ROW_HEAD_BYTES 27u
#define STATUS_MAX ESQ_ACK_NO_SESSION

static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

static uint32_t u32(const uint8_t *at) { return u16(at) | (uint32_t)u16(at + 2) << 16; }

static uint32_t after_text(const uint8_t *payload, uint32_t n_payload, uint32_t at,
                           uint32_t n_max) {
    must(at < n_payload && payload[at] <= n_max, "INFO is cut, or a text is too long");
    return at + 1u + payload[at];
}

static void check_info(const uint8_t *payload, uint32_t n_payload, const struct rules *rules) {
    must(n_payload > INFO_HEAD_BYTES, "INFO is cut");
    must(u16(payload + 58) == rules->op_count, "INFO counts other operators");
    uint32_t total = 0;
    uint32_t at = INFO_HEAD_BYTES;
    for (uint32_t i = 0; i < payload[61]; i++, at += 4) {
        must(at + 4 <= n_payload, "INFO is cut");
        total += u32(payload + at);
    }
    must(total == rules->result_bytes, "INFO says another size of results");
    at = after_text(payload, n_payload, at, 32);
    at = after_text(payload, n_payload, at, 32);
    at = after_text(payload, n_payload, at, 96);
    if (payload[60] & INFO_DAMAGED) {
        must(at + 2 < n_payload, "INFO is cut");
        must(u16(payload + at) < rules->op_count, "INFO names no operator");
        at += 2;
    }
    at += 2; /* what it takes, and its core */
    must(at < n_payload, "INFO is cut");
    must(at + 1u + 6u * payload[at] == n_payload, "INFO has another length"); /* its inputs */
}

static void check_ack(const uint8_t *payload, uint32_t n_payload, const struct rules *rules) {
    must(n_payload == 9, "ACK has another length");
    must(u32(payload + 4) <= rules->most_image_bytes, "ACK is beyond the image");
    must(payload[8] <= STATUS_MAX, "ACK has an unknown status");
}

static void check_result(const uint8_t *payload, uint32_t n_payload, const struct rules *rules) {
    must(n_payload >= RESULT_HEAD_BYTES, "RESULT is cut");
    const uint32_t offset = u32(payload + 4);
    must(u32(payload + 8) == rules->result_bytes, "RESULT says another total");
    must(offset <= rules->result_bytes, "RESULT is beyond the results");
    must(n_payload - RESULT_HEAD_BYTES <= rules->result_bytes - offset,
         "RESULT has too many bytes");
}

static void check_ops(const uint8_t *payload, uint32_t n_payload, const struct rules *rules) {
    must(n_payload > OPS_HEAD_BYTES, "OPS is cut");
    const uint32_t n_ops = (n_payload - OPS_HEAD_BYTES) / OP_BYTES;
    must(n_payload == OPS_HEAD_BYTES + n_ops * OP_BYTES, "OPS has a part of an operator");
    must(u16(payload + 6) == rules->op_count, "OPS counts other operators");
    must(u16(payload + 4) + n_ops <= rules->op_count, "OPS has too many operators");
}

static void check_row(const uint8_t *payload, uint32_t n_payload, const struct rules *rules) {
    must(n_payload >= ROW_HEAD_BYTES, "ROW is cut");
    const uint32_t offset = u32(payload + 19);
    const uint32_t row_bytes = u32(payload + 23);
    must(u16(payload + 8) < rules->op_count, "ROW names no operator");
    must(payload[10] <= 2, "ROW names no tensor");
    must(row_bytes <= rules->arena_bytes, "ROW is longer than the arena");
    must(offset <= row_bytes, "ROW is beyond the row");
    must(n_payload - ROW_HEAD_BYTES <= row_bytes - offset, "ROW has too many bytes");
}

static void check(const struct wire_frame *frame, const struct rules *rules) {
    const uint8_t *payload = frame->body + ESQ_FRAME_HEAD_BYTES;
    const int is_stranger = frame->body[0] == ESQ_FRAME_ACK && payload[8] == ESQ_ACK_NO_SESSION;
    must(is_stranger || u16(frame->body + 2) == rules->tag, "an answer has another tag");
    must(frame->n_payload <= ESQ_FRAME_PAYLOAD_MAX, "a payload is too long");
    switch (frame->body[0]) {
    case ESQ_FRAME_INFO: check_info(payload, frame->n_payload, rules); break;
    case ESQ_FRAME_ACK: check_ack(payload, frame->n_payload, rules); break;
    case ESQ_FRAME_RESULT: check_result(payload, frame->n_payload, rules); break;
    case ESQ_FRAME_BUSY: must(frame->n_payload == 4, "BUSY has another length"); break;
    case ESQ_FRAME_OPS: check_ops(payload, frame->n_payload, rules); break;
    case ESQ_FRAME_ROW: check_row(payload, frame->n_payload, rules); break;
    case ESQ_FRAME_BAUD_SET: must(frame->n_payload >= 4, "BAUD_SET is cut"); break;
    default: must(0, "a type that no board sends");
    }
}

void check_answers(const struct wire *answers, const struct rules *rules) {
    static struct wire_frame frame;
    int is_last = 0;
    for (uint32_t at = 0; at < answers->n_bytes;) {
        must(!is_last, "more than one answer");
        at = wire_get(answers, at, &frame);
        must(at != 0, "an answer is damaged");
        check(&frame, rules);
        is_last = frame.body[0] != ESQ_FRAME_BUSY;
    }
}

void last_answer(const struct wire *answers, uint8_t type, struct wire_frame *frame) {
    frame->body[0] = 0;
    for (uint32_t at = 0; at < answers->n_bytes;) {
        at = wire_get(answers, at, frame);
    }
    must(frame->body[0] == type, "another answer than it must be");
}
