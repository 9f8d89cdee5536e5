#include "link.h"

#include <string.h>

#include "esq_port.h"

#define DATA_HEAD_BYTES 8u    /* image, offset */
#define RESULT_HEAD_BYTES 24u /* image, offset, total, ticks, stack */
#define ACK_BYTES 9u          /* image, next offset, status */
#define NAME_MAX 32u
#define BUILD_MAX 96u
#define OBSERVED_MAX 8u
#define HEARTBEATS_PER_SECOND 4u

/* Room for a frame of `n_payload` bytes beside the decoder's, which may still be in use. */
#define FRAME_BYTES(n_payload) (ESQ_FRAME_HEAD_BYTES + (n_payload) + ESQ_FRAME_CRC_BYTES)

static uint32_t row_bytes(const struct esq_link *link) {
    return (uint32_t)link->identity->width * link->identity->channels;
}

static uint32_t image_bytes(const struct esq_link *link) {
    return row_bytes(link) * link->identity->height;
}

static void send(struct esq_link *link, uint8_t *frame, uint32_t n_payload,
                 enum esq_frame_type type) {
    esq_frame_send(frame, n_payload, type, link->seq, link->tag);
    link->heard = esq_port_ticks();
}

static void send_ack(struct esq_link *link, uint32_t image, uint32_t next_offset,
                     enum esq_ack_status status) {
    uint8_t frame[FRAME_BYTES(ACK_BYTES)];
    uint8_t *payload = frame + ESQ_FRAME_HEAD_BYTES;
    esq_put_u32(payload, image);
    esq_put_u32(payload + 4, next_offset);
    payload[8] = (uint8_t)status;
    send(link, frame, ACK_BYTES, ESQ_FRAME_ACK);
}

static void send_busy(struct esq_link *link) {
    uint8_t frame[FRAME_BYTES(4)];
    esq_put_u32(frame + ESQ_FRAME_HEAD_BYTES, link->image);
    send(link, frame, 4, ESQ_FRAME_BUSY);
}

static int is_done(const struct esq_link *link) {
    return link->image != 0 && link->offset == image_bytes(link) && link->status == ESQ_DONE;
}

static void send_progress(struct esq_link *link) {
    enum esq_ack_status status = ESQ_ACK_GO;
    if (link->trace.is_held) {
        status = ESQ_ACK_HELD;
    } else if (is_done(link)) {
        status = ESQ_ACK_DONE;
    } else if (link->image != 0 && link->status != ESQ_DONE && link->status != ESQ_NEEDS_ROW) {
        status = ESQ_ACK_REFUSED; /* the engine has failed */
    }
    send_ack(link, link->image, link->offset, status);
}

/* Steps the engine until it wants a row, is held, is done or has failed; tells the host that we live. */
static void run(struct esq_link *link) {
    uint32_t patience = esq_port_tick_hz() / HEARTBEATS_PER_SECOND;
    do {
        link->status = (uint8_t)esq_trace_step(&link->trace, link->engine, &link->ticks);
        if (esq_port_ticks() - link->heard >= patience) {
            send_busy(link);
        }
    } while (link->status == ESQ_MORE && !link->trace.is_held);
}

static void start_image(struct esq_link *link, uint32_t image) {
    link->image = image;
    link->offset = 0;
    link->ticks = 0;
    esq_trace_start(&link->trace);
    esq_start(link->engine);
    run(link);
}

/* Hands image bytes to the engine, which computes whenever a row is whole. */
static void take(struct esq_link *link, const uint8_t *bytes, uint32_t n_bytes) {
    while (n_bytes != 0 && !link->trace.is_held) {
        uint32_t column = link->offset % row_bytes(link);
        uint32_t n_row = row_bytes(link) - column;
        uint32_t n = n_bytes < n_row ? n_bytes : n_row;
        /* A network may be done before its last row; rows it does not want are dropped. */
        int is_wanted = link->status == ESQ_NEEDS_ROW;
        if (is_wanted) {
            memcpy(esq_input_row(link->engine) + column, bytes, n);
        }
        link->offset += n;
        bytes += n;
        n_bytes -= n;
        if (is_wanted && n == n_row) {
            link->status = (uint8_t)esq_push_row(link->engine);
            if (link->status == ESQ_MORE) {
                run(link);
            }
        }
    }
}

static void on_data(struct esq_link *link, const uint8_t *payload, uint32_t n_payload) {
    if (n_payload < DATA_HEAD_BYTES) {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    uint32_t image = esq_get_u32(payload);
    uint32_t offset = esq_get_u32(payload + 4);
    uint32_t n_bytes = n_payload - DATA_HEAD_BYTES;
    /* Later than ours, on a counter that wraps. */
    int is_newer = image != 0 && image - link->image - 1u < 0x7FFFFFFFu;
    if (is_newer && offset != 0) {
        send_ack(link, image, 0, ESQ_ACK_AGAIN);
        return;
    }
    if (is_newer) {
        start_image(link, image);
    }
    if (image == link->image && offset > link->offset && !link->trace.is_held) {
        send_ack(link, image, link->offset, ESQ_ACK_AGAIN);
        return;
    }
    if (image == link->image && offset == link->offset) {
        if (n_bytes > image_bytes(link) - offset) {
            send_ack(link, image, offset, ESQ_ACK_REFUSED);
            return;
        }
        take(link, payload + DATA_HEAD_BYTES, n_bytes);
    }
    send_progress(link); /* also the answer to a frame that came twice */
}

/* Copies n_bytes of all observed values, one tensor after the other, from `offset` on. */
static void copy_observed(const struct esq_link *link, uint32_t offset, uint8_t *to,
                          uint32_t n_bytes) {
    uint32_t n_tensor = 0;
    for (uint32_t i = 0; n_bytes != 0 && i < OBSERVED_MAX; i++) {
        const int8_t *values = esq_observed(link->engine, i, &n_tensor);
        if (values == NULL) {
            return;
        }
        if (offset >= n_tensor) {
            offset -= n_tensor;
            continue;
        }
        uint32_t n = n_tensor - offset < n_bytes ? n_tensor - offset : n_bytes;
        memcpy(to, values + offset, n);
        to += n;
        n_bytes -= n;
        offset = 0;
    }
}

static uint32_t observed_bytes(const struct esq_link *link) {
    uint32_t total = 0;
    uint32_t n_tensor = 0;
    for (uint32_t i = 0; i < OBSERVED_MAX && esq_observed(link->engine, i, &n_tensor); i++) {
        total += n_tensor;
    }
    return total;
}

static void on_result_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != DATA_HEAD_BYTES) {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    uint32_t image = esq_get_u32(request);
    uint32_t offset = esq_get_u32(request + 4);
    if (image != link->image || !is_done(link)) {
        send_ack(link, link->image, link->offset, ESQ_ACK_AGAIN);
        return;
    }
    uint32_t total = observed_bytes(link);
    if (offset > total) {
        send_ack(link, image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    uint32_t n_bytes = ESQ_FRAME_PAYLOAD_MAX - RESULT_HEAD_BYTES;
    if (n_bytes > total - offset) {
        n_bytes = total - offset;
    }
    uint8_t *frame = link->decoder.bytes; /* the request has been read */
    uint8_t *payload = frame + ESQ_FRAME_HEAD_BYTES;
    esq_put_u32(payload, image);
    esq_put_u32(payload + 4, offset);
    esq_put_u32(payload + 8, total);
    esq_put_u32(payload + 12, (uint32_t)link->ticks);
    esq_put_u32(payload + 16, (uint32_t)(link->ticks >> 32));
    esq_put_u32(payload + 20, esq_port_stack_bytes());
    copy_observed(link, offset, payload + RESULT_HEAD_BYTES, n_bytes);
    send(link, frame, RESULT_HEAD_BYTES + n_bytes, ESQ_FRAME_RESULT);
}

static void on_trace(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (esq_trace_ask(&link->trace, request, n_payload)) {
        send_progress(link);
    } else {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
    }
}

static void on_ops_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != ESQ_OPS_GET_BYTES) {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    uint32_t image = esq_get_u32(request);
    if (image != link->image || !is_done(link)) {
        send_ack(link, link->image, link->offset, ESQ_ACK_AGAIN);
        return;
    }
    uint8_t *frame = link->decoder.bytes; /* the request has been read, up to here */
    uint32_t n_bytes = esq_trace_put_ops(&link->trace, image, esq_get_u16(request + 4),
                                         frame + ESQ_FRAME_HEAD_BYTES, ESQ_FRAME_PAYLOAD_MAX);
    if (n_bytes == 0) {
        send_ack(link, image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    send(link, frame, n_bytes, ESQ_FRAME_OPS);
}

/* Sends a row of the operator held, or lets it go on. */
static void on_row_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != ESQ_ROW_GET_BYTES) {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    if (esq_get_u32(request) != link->image) {
        send_ack(link, link->image, link->offset, ESQ_ACK_AGAIN);
        return;
    }
    if (request[11]) {
        if (esq_trace_release(&link->trace, esq_get_u32(request + 7))) {
            run(link);
        }
        send_progress(link); /* also the answer to a release that came twice */
        return;
    }
    uint8_t *frame = link->decoder.bytes; /* read before it is written over */
    uint32_t n_bytes = esq_trace_put_row(&link->trace, link->engine, request,
                                         frame + ESQ_FRAME_HEAD_BYTES, ESQ_FRAME_PAYLOAD_MAX);
    if (n_bytes == 0) {
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        return;
    }
    send(link, frame, n_bytes, ESQ_FRAME_ROW);
}

static uint8_t *put_text(uint8_t *to, const char *text, uint32_t n_max) {
    uint8_t n = 0;
    while (text[n] != '\0' && n < n_max) {
        to[1 + n] = (uint8_t)text[n];
        n++;
    }
    to[0] = n;
    return to + 1 + n;
}

static void send_info(struct esq_link *link) {
    const struct esq_identity *identity = link->identity;
    uint8_t *frame = link->decoder.bytes; /* HELLO has been read */
    uint8_t *payload = frame + ESQ_FRAME_HEAD_BYTES;
    payload[0] = ESQ_PROTOCOL_VERSION;
    payload[1] = ESQ_LAYOUT_VERSION;
    esq_put_u16(payload + 2, ESQ_FRAME_PAYLOAD_MAX);
    esq_put_u32(payload + 4, esq_port_rx_bytes());
    memcpy(payload + 8, identity->model_sha256, sizeof identity->model_sha256);
    esq_put_u16(payload + 40, identity->height);
    esq_put_u16(payload + 42, identity->width);
    esq_put_u16(payload + 44, identity->channels);
    esq_put_u32(payload + 46, esq_port_tick_hz());
    esq_put_u32(payload + 50, identity->clock_hz);
    esq_put_u32(payload + 54, esq_port_cpuid());
    esq_put_u16(payload + 58, identity->op_count);
    payload[60] = identity->optimisation;
    uint8_t *count = payload + 61;
    uint8_t *end = count + 1;
    uint32_t n_tensor = 0;
    for (*count = 0; *count < OBSERVED_MAX; (*count)++) {
        if (esq_observed(link->engine, *count, &n_tensor) == NULL) {
            break;
        }
        esq_put_u32(end, n_tensor);
        end += 4;
    }
    end = put_text(end, identity->kernels, NAME_MAX);
    end = put_text(end, identity->board, NAME_MAX);
    end = put_text(end, identity->build, BUILD_MAX);
    send(link, frame, (uint32_t)(end - payload), ESQ_FRAME_INFO);
}

static void on_frame(struct esq_link *link) {
    const struct esq_decoder *decoder = &link->decoder;
    uint8_t type = decoder->bytes[0];
    uint16_t tag = esq_get_u16(decoder->bytes + 2);
    const uint8_t *payload = decoder->bytes + ESQ_FRAME_HEAD_BYTES;
    uint32_t n_payload = (uint32_t)decoder->n_bytes - ESQ_FRAME_HEAD_BYTES - ESQ_FRAME_CRC_BYTES;
    if (type == ESQ_FRAME_HELLO) {
        link->tag = tag;
        link->is_open = 1;
        link->image = 0;
        link->offset = 0;
        esq_trace_forget(&link->trace);
    } else if (!link->is_open || tag != link->tag) {
        return; /* from an earlier session */
    }
    link->seq = decoder->bytes[1];
    link->heard = esq_port_ticks(); /* the host waits from now on */
    switch (type) {
    case ESQ_FRAME_HELLO:
        send_info(link);
        break;
    case ESQ_FRAME_DATA:
        on_data(link, payload, n_payload);
        break;
    case ESQ_FRAME_RESULT_GET:
        on_result_get(link, payload, n_payload);
        break;
    case ESQ_FRAME_TRACE:
        on_trace(link, payload, n_payload);
        break;
    case ESQ_FRAME_OPS_GET:
        on_ops_get(link, payload, n_payload);
        break;
    case ESQ_FRAME_ROW_GET:
        on_row_get(link, payload, n_payload);
        break;
    default:
        send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
        break;
    }
}

void esq_link_push(struct esq_link *link, uint8_t byte) {
    enum esq_frame_event event = esq_decoder_push(&link->decoder, byte);
    if (event == ESQ_EVENT_NONE) {
        return;
    }
    if (event == ESQ_EVENT_FRAME) {
        on_frame(link);
    } else if (link->is_open) {
        link->seq++; /* the host numbers frames one by one: this was the next */
        send_ack(link, link->image, link->offset, ESQ_ACK_AGAIN);
    }
    esq_decoder_reset(&link->decoder);
}
