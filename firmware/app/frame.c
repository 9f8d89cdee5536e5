#include "frame.h"

#include "crc32.h"
#include "esq_port.h"

#define ESQ_MAX_COBS_BLOCK 254u

uint16_t esq_get_u16(const uint8_t *bytes) {
    return (uint16_t)(bytes[0] | ((uint32_t)bytes[1] << 8));
}

uint32_t esq_get_u32(const uint8_t *bytes) {
    return esq_get_u16(bytes) | ((uint32_t)esq_get_u16(bytes + 2) << 16);
}

void esq_put_u16(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

void esq_put_u32(uint8_t *bytes, uint32_t value) {
    esq_put_u16(bytes, value);
    esq_put_u16(bytes + 2, value >> 16);
}

void esq_decoder_reset(struct esq_decoder *decoder) {
    decoder->n_bytes = 0;
    decoder->code = 0;
    decoder->left = 0;
    decoder->overflow = 0;
}

static void append(struct esq_decoder *decoder, uint8_t byte) {
    if (decoder->n_bytes < ESQ_FRAME_MAX) {
        decoder->bytes[decoder->n_bytes++] = byte;
    } else {
        decoder->overflow = 1;
    }
}

static int is_whole(const struct esq_decoder *decoder) {
    if (decoder->overflow || decoder->left ||
        decoder->n_bytes < ESQ_FRAME_HEAD_BYTES + ESQ_FRAME_CRC_BYTES) {
        return 0;
    }
    uint32_t n_covered = (uint32_t)decoder->n_bytes - ESQ_FRAME_CRC_BYTES;
    return esq_crc32(decoder->bytes, n_covered) == esq_get_u32(decoder->bytes + n_covered);
}

enum esq_frame_event esq_decoder_push(struct esq_decoder *decoder, uint8_t byte) {
    if (byte == 0) {
        if (decoder->code == 0) {
            return ESQ_EVENT_NONE; /* nothing between two delimiters */
        }
        return is_whole(decoder) ? ESQ_EVENT_FRAME : ESQ_EVENT_DAMAGED;
    }
    if (decoder->left) {
        append(decoder, byte);
        decoder->left--;
        return ESQ_EVENT_NONE;
    }
    /* A new block: the one before stands for a zero after it, unless it had full length. */
    if (decoder->code != 0 && decoder->code != ESQ_MAX_COBS_BLOCK + 1u) {
        append(decoder, 0);
    }
    decoder->code = byte;
    decoder->left = (uint8_t)(byte - 1u);
    return ESQ_EVENT_NONE;
}

void esq_frame_send(uint8_t *frame, uint32_t n_payload, enum esq_frame_type type, uint8_t seq,
                    uint16_t tag) {
    frame[0] = (uint8_t)type;
    frame[1] = seq;
    esq_put_u16(frame + 2, tag);
    uint32_t n_bytes = ESQ_FRAME_HEAD_BYTES + n_payload;
    esq_put_u32(frame + n_bytes, esq_crc32(frame, n_bytes));
    n_bytes += ESQ_FRAME_CRC_BYTES;

    for (uint32_t start = 0; start <= n_bytes;) {
        uint32_t run = 0;
        while (run < ESQ_MAX_COBS_BLOCK && start + run < n_bytes && frame[start + run] != 0) {
            run++;
        }
        uint8_t code = (uint8_t)(run + 1u);
        esq_port_write(&code, 1);
        esq_port_write(frame + start, run);
        start += run;
        if (run < ESQ_MAX_COBS_BLOCK || start == n_bytes) {
            start++; /* over the zero, or past the end */
        }
    }
    static const uint8_t delimiter = 0;
    esq_port_write(&delimiter, 1);
}
