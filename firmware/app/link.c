#include "link.h"

#include <string.h>

#include "esq_port.h"

#define ESQ_DATA_HEAD_BYTES 8u    /* image, offset */
#define ESQ_RESULT_GET_BYTES 10u  /* image, offset, most */
#define ESQ_ACK_BYTES 9u          /* image, next offset, status */
#define ESQ_HELLO_BYTES 5u        /* version, image */
#define ESQ_SEQUENCE_BYTES 9u     /* the same, and steps */
#ifndef ESQ_HEARTBEATS_PER_SECOND /* a board that a slow emulator runs has more */
#define ESQ_HEARTBEATS_PER_SECOND 4u
#endif

/* Room for a frame of `n_payload` bytes beside the decoder's, which may still be in use. */
#define ESQ_FRAME_BYTES(n_payload) (ESQ_FRAME_HEAD_BYTES + (n_payload) + ESQ_FRAME_CRC_BYTES)

/* Whether all rows of the current image have come. */
static int is_in(const struct esq_link *link) { return link->n_rows == link->identity->n_rows; }

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
    } else if (is_running && !is_in(link)) {
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
    link->column = 0;
    link->n_rows = 0;
    link->ticks = 0;
    link->is_coded = 0;
    link->is_done = 0;
    esq_trace_start(&link->trace);
    if (link->steps != 0 && (image - link->first) % link->steps == 0) {
        esq_reset_state(link->engine);
    }
    esq_start(link->engine);
    run(link);
}

/* Keeps the results where the image is in and computed. */
static void finish(struct esq_link *link) {
    if (is_in(link) && link->status == ESQ_DONE) {
        esq_results_keep(&link->results, link->engine, link->image, link->ticks);
        link->is_done = 1;
    }
}

/* A network may be done before its last row; rows that it does not want are dropped. */
static int wants_row(const struct esq_link *link) { return link->status == ESQ_NEEDS_ROW; }

/* The engine's input row is whole, or not wanted; computes. */
static void push_row(struct esq_link *link) {
    link->n_rows++;
    if (wants_row(link)) {
        link->status = (uint8_t)esq_push_row(link->engine);
        if (link->status == ESQ_MORE) {
            run(link);
        }
    }
}

/* Takes bytes of an image up to the end of a row; returns how many. */
static uint32_t take_plain(struct esq_link *link, const uint8_t *bytes, uint32_t n_bytes,
                           int *is_whole) {
    uint32_t n_row = esq_input_row_bytes(link->engine) - link->column;
    uint32_t n = n_bytes < n_row ? n_bytes : n_row;
    if (wants_row(link)) {
        memcpy(esq_input_row(link->engine) + link->column, bytes, n);
    }
    *is_whole = n == n_row;
    link->column = *is_whole ? 0 : link->column + n;
    return n;
}

/* Likewise, of an image that comes coded. */
static uint32_t take_coded(struct esq_link *link, const uint8_t *bytes, uint32_t n_bytes,
                           int *is_whole) {
    uint32_t n = esq_rows_take(&link->rows, bytes, n_bytes);
    *is_whole = esq_rows_is_whole(&link->rows);
    if (*is_whole) {
        esq_rows_fetch(&link->rows, wants_row(link) ? esq_input_row(link->engine) : NULL);
    }
    return n;
}

/* Takes image bytes, as far as the engine is not held, and computes whenever a row is whole;
 * answers. Called in one place only, so that kernels run on as little stack as can be. */
static void take(struct esq_link *link, const uint8_t *bytes, uint32_t n_bytes) {
    int is_whole = 1;
    while (is_whole && !link->trace.is_held && !is_in(link)) {
        uint32_t n = link->is_coded ? take_coded(link, bytes, n_bytes, &is_whole)
                                    : take_plain(link, bytes, n_bytes, &is_whole);
        bytes += n;
        n_bytes -= n;
        link->offset += n;
        if (is_whole) {
            push_row(link);
        }
    }
    finish(link);
    if (is_in(link) && (n_bytes != 0 || (link->is_coded && esq_rows_has_more(&link->rows)))) {
        send_refused(link); /* there were more than the image has */
    } else {
        send_progress(link);
    }
}

/* Whether the current image goes on with such bytes: all of it is coded, or nothing; of several
 * inputs nothing is. */
static int fits(struct esq_link *link, int is_coded) {
    if (link->is_done) {
        return 0; /* the image before the first has no bytes */
    }
    if (link->offset == 0) {
        link->is_coded = (uint8_t)is_coded;
        esq_rows_start(&link->rows);
    }
    return link->is_coded == is_coded && !(is_coded && link->identity->n_inputs > 1);
}

/* Answers, unless it returns that the bytes are to be taken. */
static int on_data(struct esq_link *link, const uint8_t *payload, uint32_t n_payload,
                   int is_coded) {
    if (n_payload < ESQ_DATA_HEAD_BYTES) {
        send_refused(link);
        return 0;
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
        return 0;
    }
    if (ahead == 0 && offset == link->offset && n_bytes != 0) {
        if (fits(link, is_coded)) {
            return 1;
        }
        send_refused(link);
        return 0;
    }
    send_progress(link); /* a frame that came twice */
    return 0;
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

/* Sends a row of the operator held, or lets it go on. Answers, unless it returns that rows may
 * have come that are not decoded. */
static int on_row_get(struct esq_link *link, const uint8_t *request, uint32_t n_payload) {
    if (n_payload != ESQ_ROW_GET_BYTES) {
        send_refused(link);
        return 0;
    }
    if (esq_get_u32(request) != link->image) {
        send_again(link);
        return 0;
    }
    if (request[11]) {
        if (esq_trace_release(&link->trace, esq_get_u32(request + 7))) {
            run(link);
            return 1;
        }
        send_progress(link); /* a release that came twice */
        return 0;
    }
    uint8_t *frame = link->decoder.bytes; /* read before it is written over */
    uint32_t n_bytes = esq_trace_put_row(&link->trace, link->engine, request,
                                         frame + ESQ_FRAME_HEAD_BYTES, ESQ_FRAME_PAYLOAD_MAX);
    if (n_bytes == 0) {
        send_refused(link);
    } else {
        send(link, frame, n_bytes, ESQ_FRAME_ROW);
    }
    return 0;
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

static void send_info(struct esq_link *link) {
    uint8_t *frame = link->decoder.bytes; /* HELLO has been read */
    uint32_t n_bytes =
        esq_info_pack(link->identity, link->engine, link->damaged_op, frame + ESQ_FRAME_HEAD_BYTES);
    send(link, frame, n_bytes, ESQ_FRAME_INFO);
}

static void open_session(struct esq_link *link, const uint8_t *hello, uint32_t n_payload) {
    link->tag = esq_get_u16(link->decoder.bytes + 2);
    link->is_open = 1;
    link->image = n_payload < ESQ_HELLO_BYTES ? 0u : esq_get_u32(hello + 1);
    link->first = link->image + 1u;
    link->steps = n_payload < ESQ_SEQUENCE_BYTES ? 0u : esq_get_u32(hello + 5);
    link->offset = 0;
    link->n_rows = 0;
    link->is_done = 1;
    esq_reset_state(link->engine);
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
    link->heard = esq_port_ticks();    /* the host waits from now on */
    const uint8_t *image_bytes = NULL; /* to be taken */
    uint32_t n_image_bytes = 0;
    switch (type) {
    case ESQ_FRAME_HELLO: send_info(link); break;
    case ESQ_FRAME_DATA:
    case ESQ_FRAME_CODED:
        if (on_data(link, payload, n_payload, type == ESQ_FRAME_CODED)) {
            image_bytes = payload + ESQ_DATA_HEAD_BYTES;
            n_image_bytes = n_payload - ESQ_DATA_HEAD_BYTES;
        }
        break;
    case ESQ_FRAME_RESULT_GET: on_result_get(link, payload, n_payload); break;
    case ESQ_FRAME_TRACE: on_trace(link, payload, n_payload); break;
    case ESQ_FRAME_OPS_GET: on_ops_get(link, payload, n_payload); break;
    case ESQ_FRAME_ROW_GET:
        if (on_row_get(link, payload, n_payload)) {
            image_bytes = payload;
        }
        break;
    case ESQ_FRAME_BAUD: on_baud(link, n_payload); break;
    default: send_refused(link); break;
    }
    if (image_bytes) {
        take(link, image_bytes, n_image_bytes);
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
