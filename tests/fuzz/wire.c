#include "wire.h"

#include <string.h>

static uint32_t crc32(const uint8_t *bytes, uint32_t n_bytes) {
    static uint32_t table[256];
    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        uint32_t entry = i;
        for (int bit = 0; bit < 8; bit++) {
            entry = (entry >> 1) ^ (entry & 1u ? 0xEDB88320u : 0u);
        }
        table[i] = entry;
    }
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < n_bytes; i++) {
        crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 255u];
    }
    return crc ^ 0xFFFFFFFFu;
}

void wire_put(struct wire *wire, uint8_t type, uint8_t seq, uint16_t tag, const uint8_t *payload,
              uint32_t n_payload) {
    static uint8_t body[WIRE_BODY_MAX];
    const uint8_t head[4] = {type, seq, (uint8_t)tag, (uint8_t)(tag >> 8)};
    memcpy(body, head, sizeof head);
    memcpy(body + sizeof head, payload, n_payload);
    uint32_t n_body = 4 + n_payload;
    const uint32_t crc = crc32(body, n_body);
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        body[n_body++] = (uint8_t)(crc >> shift);
    }
    uint8_t *to = wire->bytes;
    for (uint32_t start = 0; start <= n_body;) {
        uint32_t run = 0;
        for (; run < 254 && start + run < n_body && body[start + run] != 0; run++) {
            to[1 + run] = body[start + run];
        }
        to[0] = (uint8_t)(run + 1);
        to += 1 + run;
        start += run + (run < 254 || start + run == n_body);
    }
    *to++ = 0;
    wire->n_bytes = (uint32_t)(to - wire->bytes);
}

uint32_t wire_get(const struct wire *wire, uint32_t at, struct wire_frame *frame) {
    uint32_t n_body = 0;
    uint8_t code = 0xFF;
    uint8_t left = 0;
    for (; at < wire->n_bytes && wire->bytes[at] != 0; at++) {
        const uint8_t byte = wire->bytes[at];
        const int is_code = left == 0;
        if (!is_code || code != 0xFF) {
            if (n_body == sizeof frame->body) {
                return 0;
            }
            frame->body[n_body++] = is_code ? 0 : byte;
        }
        if (is_code) {
            code = byte;
        }
        left = (uint8_t)((is_code ? byte : left) - 1);
    }
    if (at == wire->n_bytes || left != 0 || n_body < 8) {
        return 0;
    }
    const uint8_t *end = frame->body + n_body - 4;
    const uint32_t crc =
        end[0] | (uint32_t)end[1] << 8 | (uint32_t)end[2] << 16 | (uint32_t)end[3] << 24;
    frame->n_payload = n_body - 8;
    return crc == crc32(frame->body, n_body - 4) ? at + 1 : 0;
}
