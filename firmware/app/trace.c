#include "trace.h"

#include "crc32.h"
#include "esq_port.h"
#include "frame.h"

#define ESQ_OPS_HEAD_BYTES 9u  /* image, first, count, flags */
#define ESQ_OP_BYTES 12u       /* CRC, ticks */
#define ESQ_ROW_HEAD_BYTES 27u /* image, hold, operator, which, row, rows, offset, row bytes */

#define ESQ_FLAG_CRC 1u

void esq_trace_forget(struct esq_trace *trace) {
    trace->next_takes_crc = 0;
    trace->next_hold_op = ESQ_NO_OP;
    esq_trace_start(trace);
}

int esq_trace_ask(struct esq_trace *trace, const uint8_t *request, uint32_t n_bytes) {
    if (n_bytes != ESQ_TRACE_BYTES || (request[0] & ~ESQ_FLAG_CRC) != 0) {
        return 0;
    }
    const uint16_t op = esq_get_u16(request + 1);
    if (op >= trace->op_count && op != ESQ_NO_OP) {
        return 0;
    }
    trace->next_takes_crc = request[0] & ESQ_FLAG_CRC;
    trace->next_hold_op = op;
    return 1;
}

void esq_trace_start(struct esq_trace *trace) {
    for (uint32_t op = 0; op < trace->op_count; op++) {
        trace->ops[op] = (struct esq_op_trace){0, {0, 0}};
    }
    trace->takes_crc = trace->next_takes_crc;
    trace->hold_op = trace->next_hold_op;
    trace->hold = 0;
    trace->is_held = 0;
}

/* Adds an output row, pixel by pixel, for other operators may write between. */
static uint32_t crc_of_row(uint32_t crc, const struct esq_row_view *view) {
    const uint8_t *pixel = (const uint8_t *)view->first;
    for (uint32_t x = 0; x < view->width; x++) {
        crc = esq_crc32_more(crc, pixel, view->channels);
        pixel += view->pixel_bytes;
    }
    return crc;
}

/* Not inlined: what it keeps on the stack is not there while an operator runs. */
__attribute__((noinline)) static void add_rows(struct esq_op_trace *trace,
                                               const struct esq_engine *engine, uint32_t op,
                                               uint32_t first, uint32_t end) {
    struct esq_row_view view;
    for (uint32_t row = first; row < end && esq_find_row(engine, op, 0, row, &view); row++) {
        trace->crc = crc_of_row(trace->crc, &view);
    }
}

static void add_ticks(struct esq_op_trace *trace, uint32_t ticks) {
    trace->ticks[0] += ticks;
    trace->ticks[1] += trace->ticks[0] < ticks;
}

enum esq_status esq_trace_step(struct esq_trace *trace, struct esq_engine *engine,
                               uint64_t *ticks) {
    const uint32_t op = esq_next_op(engine);
    if (op >= trace->op_count) {
        return esq_step(engine);
    }
    const uint32_t complete = esq_op_rows(engine, op).complete;
    const uint32_t before = esq_port_ticks();
    const enum esq_status status = esq_step(engine);
    const uint32_t taken = esq_port_ticks() - before;
    *ticks += taken;
    add_ticks(&trace->ops[op], taken);
    if (trace->takes_crc) {
        add_rows(&trace->ops[op], engine, op, complete, esq_op_rows(engine, op).complete);
    }
    if (op == trace->hold_op) {
        trace->hold++;
        trace->is_held = 1;
    }
    return status;
}

int esq_trace_release(struct esq_trace *trace, uint32_t hold) {
    if (!trace->is_held || hold != trace->hold) {
        return 0;
    }
    trace->is_held = 0;
    return 1;
}

uint32_t esq_trace_put_ops(const struct esq_trace *trace, uint32_t image, uint32_t first,
                           uint8_t *payload, uint32_t n_room) {
    if (first >= trace->op_count) {
        return 0;
    }
    esq_put_u32(payload, image);
    esq_put_u16(payload + 4, first);
    esq_put_u16(payload + 6, trace->op_count);
    payload[8] = trace->takes_crc ? ESQ_FLAG_CRC : 0;
    uint32_t n_bytes = ESQ_OPS_HEAD_BYTES;
    for (uint32_t op = first; op < trace->op_count && n_bytes + ESQ_OP_BYTES <= n_room; op++) {
        esq_put_u32(payload + n_bytes, trace->ops[op].crc);
        esq_put_u32(payload + n_bytes + 4, trace->ops[op].ticks[0]);
        esq_put_u32(payload + n_bytes + 8, trace->ops[op].ticks[1]);
        n_bytes += ESQ_OP_BYTES;
    }
    return n_bytes;
}

/* Copies bytes [offset, offset + n_bytes) of a row without the gaps between its pixels. */
static void copy_row(const struct esq_row_view *view, uint32_t offset, uint8_t *to,
                     uint32_t n_bytes) {
    const int8_t *pixel = view->first + offset / view->channels * view->pixel_bytes;
    uint32_t channel = offset % view->channels;
    for (uint32_t i = 0; i < n_bytes; i++) {
        to[i] = (uint8_t)pixel[channel];
        channel++;
        if (channel == view->channels) {
            channel = 0;
            pixel += view->pixel_bytes;
        }
    }
}

uint32_t esq_trace_put_row(const struct esq_trace *trace, const struct esq_engine *engine,
                           const uint8_t *request, uint8_t *payload, uint32_t n_room) {
    const uint32_t image = esq_get_u32(request);
    const uint8_t which = request[4];
    const uint16_t row = esq_get_u16(request + 5);
    const uint32_t offset = esq_get_u32(request + 7);
    struct esq_row_view view;
    if (!trace->is_held || !esq_find_row(engine, trace->hold_op, which, row, &view)) {
        return 0;
    }
    const uint32_t row_bytes = (uint32_t)view.width * view.channels;
    if (offset > row_bytes) {
        return 0;
    }
    const uint32_t left = row_bytes - offset;
    const uint32_t room = n_room - ESQ_ROW_HEAD_BYTES;
    const uint32_t n_bytes = left < room ? left : room;
    const struct esq_rows_so_far rows = esq_op_rows(engine, trace->hold_op);
    esq_put_u32(payload, image);
    esq_put_u32(payload + 4, trace->hold);
    esq_put_u16(payload + 8, trace->hold_op);
    payload[10] = which;
    esq_put_u16(payload + 11, row);
    esq_put_u16(payload + 13, rows.in_row);
    esq_put_u16(payload + 15, rows.out_row);
    esq_put_u16(payload + 17, rows.complete);
    esq_put_u32(payload + 19, offset);
    esq_put_u32(payload + 23, row_bytes);
    copy_row(&view, offset, payload + ESQ_ROW_HEAD_BYTES, n_bytes);
    return ESQ_ROW_HEAD_BYTES + n_bytes;
}
