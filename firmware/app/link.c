#include "link.h"

#include <string.h>

#include "esq_port.h"

#define ESQ_INFO_DAMAGED 0x80u
#define ESQ_DATA_HEAD_BYTES 8u   /* image, offset */
#define ESQ_RESULT_GET_BYTES 10u /* image, offset, most */
#define ESQ_ACK_BYTES 9u         /* image, next offset, status */
#define ESQ_HELLO_BYTES 5u       /* version, image */
#define ESQ_MAX_NAME 32u
#define ESQ_MAX_BUILD 96u
#define ESQ_MAX_OBSERVED 8u
#define ESQ_HEARTBEATS_PER_SECOND 4u

/* Room for a frame of `n_payload` bytes beside the decoder's, which may still be in use. */
#define ESQ_FRAME_BYTES(n_payload) (ESQ_FRAME_HEAD_BYTES + (n_payload) + ESQ_FRAME_CRC_BYTES)

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
    uint8_t frame[ESQ_FRAME_BYTES(ESQ_ACK_BYTES)];
    uint8_t *payload = frame + ESQ_FRAME_HEAD_BYTES;
    esq_put_u32(payload, image);
    esq_put_u32(payload + 4, next_offset);
    payload[8] = (uint8_t)status;
    send(link, frame, ESQ_ACK_BYTES, ESQ_FRAME_ACK);
}

static void send_busy(struct esq_link *link) {
    uint8_t frame[ESQ_FRAME_BYTES(4)];
    esq_put_u32(frame + ESQ_FRAME_HEAD_BYTES, link->image);
    send(link, frame, 4, ESQ_FRAME_BUSY);
}

/* Says what the board wants next: AGAIN, go back to there. */
static void send_again(struct esq_link *link) {
    if (link->is_done) {
        send_ack(link, link->image + 1u, 0, ESQ_ACK_AGAIN);
    } else {
        send_ack(link, link->image, link->offset, ESQ_ACK_AGAIN);
    }
}

static void send_refused(struct esq_link *link) {
    send_ack(link, link->image, link->offset, ESQ_ACK_REFUSED);
}

static void send_progress(struct esq_link *link) {
    int is_running = link->status == ESQ_NEEDS_ROW || link->status == ESQ_DONE;
    if (link->trace.is_held) {
        send_ack(link, link->image, link->offset, ESQ_ACK_HELD);
    } else if (link->is_done) {
        send_ack(link, link->image, link->offset, ESQ_ACK_DONE);
    } else if (is_running && link->offset != image_bytes(link)) {
        send_ack(link, link->image, link->offset, ESQ_ACK_GO);
    } else {
        send_refused(link); /* the engine has failed */
    }
}

/* Steps the engine until it wants a row, is held, is done or has failed; sends heartbeats. */
static void run(struct esq_link *link) {
    uint32_t patience = esq_port_tick_hz() / ESQ_HEARTBEATS_PER_SECOND;
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
    link->is_done = 0;
    esq_trace_start(&link->trace);
    esq_start(link->engine);
    run(link);
}

/* Keeps the results where the image is in and computed. */
static void finish(struct esq_link *link) {
    if (link->offset == image_bytes(link) && link->status == ESQ_DONE) {
        esq_results_keep(&link->results, link->engine, link->image, link->ticks);
        link->is_done = 1;
    }
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
    finish(link);
}

static void on_data(struct esq_link *link, const uint8_t *payload, uint32_t n_payload) {
    if (n_payload < ESQ_DATA_HEAD_BYTES) {
        send_refused(link);
        return;
    }
    uint32_t image = esq_get_u32(payload);
    uint32_t offset = esq_get_u32(payload + 4);
    uint32_t n_bytes = n_payload - ESQ_DATA_HEAD_BYTES;
    int may_start = link->is_done || link->trace.is_held; /* a held image can be left */
    if (may_start && image == link->image + 1u && offset == 0) {
        start_image(link, image);
    }
    uint32_t ahead = image - link->image; /* on a counter that wraps */
    if ((ahead != 0 && ahead < 0x80000000u) ||
        (ahead == 0 && offset > link->offset && !link->trace.is_held)) {
        send_again(link); /* what comes before it was lost */
        return;
    }
    if (ahead == 0 && offset == link->offset && n_bytes != 0) {
        if (link->is_done || n_bytes > image_bytes(link) - offset) {
            send_refused(link); /* the image before the first has no bytes */
            return;
        }
        take(link, payload + ESQ_DATA_HEAD_BYTES, n_bytes);
    }
    send_progress(link); /* also the answer to a frame that came twice */
}

static void on_result_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    const struct esq_results *results = &link->results;
    if (n_payload != ESQ_RESULT_GET_BYTES) {
        send_refused(link);
        return;
    }
    uint32_t offset = esq_get_u32(request + 4);
    if (!results->is_kept || esq_get_u32(request) != results->image) {
        send_again(link);
        return;
    }
    if (offset > results->n_bytes) {
        send_refused(link);
        return;
    }
    uint32_t most = esq_get_u16(request + 8);
    uint8_t *frame = link->decoder.bytes; /* the request has been read */
    uint32_t n = esq_results_pack(results, offset, most, frame + ESQ_FRAME_HEAD_BYTES);
    send(link, frame, n, ESQ_FRAME_RESULT);
}

static void on_trace(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (esq_trace_ask(&link->trace, request, n_payload)) {
        send_progress(link);
    } else {
        send_refused(link);
    }
}

static void on_ops_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != ESQ_OPS_GET_BYTES) {
        send_refused(link);
        return;
    }
    uint32_t image = esq_get_u32(request);
    if (image != link->image || !link->is_done || !link->results.is_kept) {
        send_again(link);
        return;
    }
    uint8_t *frame = link->decoder.bytes; /* the request has been read, up to here */
    uint32_t n_bytes = esq_trace_put_ops(&link->trace, image, esq_get_u16(request + 4),
                                         frame + ESQ_FRAME_HEAD_BYTES, ESQ_FRAME_PAYLOAD_MAX);
    if (n_bytes == 0) {
        send_refused(link);
        return;
    }
    send(link, frame, n_bytes, ESQ_FRAME_OPS);
}

/* Sends a row of the operator held, or lets it go on. */
static void on_row_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != ESQ_ROW_GET_BYTES) {
        send_refused(link);
        return;
    }
    if (esq_get_u32(request) != link->image) {
        send_again(link);
        return;
    }
    if (request[11]) {
        if (esq_trace_release(&link->trace, esq_get_u32(request + 7))) {
            run(link);
            finish(link);
        }
        send_progress(link); /* also the answer to a release that came twice */
        return;
    }
    uint8_t *frame = link->decoder.bytes; /* read before it is written over */
    uint32_t n_bytes = esq_trace_put_row(&link->trace, link->engine, request,
                                         frame + ESQ_FRAME_HEAD_BYTES, ESQ_FRAME_PAYLOAD_MAX);
    if (n_bytes == 0) {
        send_refused(link);
        return;
    }
    send(link, frame, n_bytes, ESQ_FRAME_ROW);
}

/* Answers with the rate and the bytes behind it, at the old rate, then switches. */
static void on_baud(struct esq_link *link, uint32_t n_payload) {
    uint8_t *frame = link->decoder.bytes;
    uint8_t *payload = frame + ESQ_FRAME_HEAD_BYTES;
    if (n_payload < 4u) {
        send_refused(link);
        return;
    }
    uint32_t rate = esq_get_u32(payload);
    int is_held = esq_port_holds_baud(rate);
    if (!is_held) {
        esq_put_u32(payload, 0);
    }
    send(link, frame, n_payload, ESQ_FRAME_BAUD_SET);
    if (is_held) {
        esq_baud_switch(&link->baud, rate);
    }
}

/* Tells a host whose session this board does not know; its own goes on, if there is one. */
static void send_no_session(const struct esq_decoder *decoder) {
    uint8_t frame[ESQ_FRAME_BYTES(ESQ_ACK_BYTES)] = {0};
    frame[ESQ_FRAME_HEAD_BYTES + 8u] = ESQ_ACK_NO_SESSION;
    esq_frame_send(frame, ESQ_ACK_BYTES, ESQ_FRAME_ACK, decoder->bytes[1],
                   esq_get_u16(decoder->bytes + 2));
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
    const int is_damaged = link->damaged_op != ESQ_NO_OP;
    payload[60] = identity->optimisation | (is_damaged ? ESQ_INFO_DAMAGED : 0);
    uint8_t *count = payload + 61;
    uint8_t *end = count + 1;
    uint32_t n_tensor = 0;
    for (*count = 0; *count < ESQ_MAX_OBSERVED; (*count)++) {
        if (esq_observed(link->engine, *count, &n_tensor) == NULL) {
            break;
        }
        esq_put_u32(end, n_tensor);
        end += 4;
    }
    end = put_text(end, identity->kernels, ESQ_MAX_NAME);
    end = put_text(end, identity->board, ESQ_MAX_NAME);
    end = put_text(end, identity->build, ESQ_MAX_BUILD);
    if (is_damaged) {
        esq_put_u16(end, link->damaged_op);
        end += 2;
    }
    send(link, frame, (uint32_t)(end - payload), ESQ_FRAME_INFO);
}

static void open_session(struct esq_link *link, const uint8_t *hello, uint32_t n_payload) {
    link->tag = esq_get_u16(link->decoder.bytes + 2);
    link->is_open = 1;
    link->image = n_payload < ESQ_HELLO_BYTES ? 0u : esq_get_u32(hello + 1);
    link->offset = 0;
    link->is_done = 1;
    link->results.is_kept = 0;
    esq_trace_forget(&link->trace);
}

static void on_frame(struct esq_link *link) {
    const struct esq_decoder *decoder = &link->decoder;
    uint8_t type = decoder->bytes[0];
    const uint8_t *payload = decoder->bytes + ESQ_FRAME_HEAD_BYTES;
    uint32_t n_payload = (uint32_t)decoder->n_bytes - ESQ_FRAME_HEAD_BYTES - ESQ_FRAME_CRC_BYTES;
    if (type == ESQ_FRAME_HELLO) {
        open_session(link, payload, n_payload);
    } else if (!link->is_open || esq_get_u16(decoder->bytes + 2) != link->tag) {
        send_no_session(decoder);
        return;
    }
    link->seq = decoder->bytes[1];
    link->heard = esq_port_ticks(); /* the host waits from now on */
    switch (type) {
    case ESQ_FRAME_HELLO: send_info(link); break;
    case ESQ_FRAME_DATA: on_data(link, payload, n_payload); break;
    case ESQ_FRAME_RESULT_GET: on_result_get(link, payload, n_payload); break;
    case ESQ_FRAME_TRACE: on_trace(link, payload, n_payload); break;
    case ESQ_FRAME_OPS_GET: on_ops_get(link, payload, n_payload); break;
    case ESQ_FRAME_ROW_GET: on_row_get(link, payload, n_payload); break;
    case ESQ_FRAME_BAUD: on_baud(link, n_payload); break;
    default: send_refused(link); break;
    }
}

void esq_link_push(struct esq_link *link, uint8_t byte) {
    enum esq_frame_event event = esq_decoder_push(&link->decoder, byte);
    if (event == ESQ_EVENT_NONE) {
        return;
    }
    if (event == ESQ_EVENT_FRAME) {
        esq_baud_heard(&link->baud);
        on_frame(link);
    } else if (link->is_open) {
        link->seq++; /* the host numbers frames one by one: this was the next */
        send_again(link);
    }
    esq_decoder_reset(&link->decoder);
}

int esq_link_waits_for_a_time(struct esq_link *link) { return esq_baud_check(&link->baud); }
