/* Operators that run fused. Mirror: edgesq/kernels/strips.py.
 *
 * An operator sees a strip as a narrow map. Rows that the next band's windows want again are made
 * again, which running maxima need not; columns that the next strip's want again are moved to the
 * front of what is held.
 */
#include "../esq_copy.h"
#include "../esq_windows.h"

#define ESQ_TENSORS (ESQ_MAX_STAGES + 1)

/* Instead of a row of the source: all that are under the windows. */
#define ESQ_ALL_ROWS 0xffffffffu

/* Rows, or columns, [first, end); short, for many of them are on the stack. */
struct span {
    uint16_t first;
    uint16_t end;
};

static struct span span_of(uint32_t first, uint32_t end) {
    return (struct span){(uint16_t)first, (uint16_t)end};
}

static uint32_t at_least(uint32_t least, uint32_t value) { return value < least ? least : value; }

static uint32_t at_most(uint32_t most, uint32_t value) { return value > most ? most : value; }

/* What of a row or column of `extent` lies under the windows of `made`. */
static struct span under(struct span made, uint32_t stride, uint32_t before, uint32_t size,
                         uint32_t extent) {
    const uint32_t first = made.first * stride;
    const uint32_t end = (made.end - 1u) * stride + size;
    return span_of(at_most(extent, first > before ? first - before : 0),
                   at_most(extent, end > before ? end - before : 0));
}

static struct span joined(struct span one, struct span two) {
    if (one.first >= one.end) {
        return two;
    }
    return span_of(at_most(two.first, one.first), at_least(two.end, one.end));
}

/* Fills `spans` with what each tensor must hold to make `made` of what the last of `count`
 * operators writes; `done`: of each, where those end that are there already. */
static void want(const struct esq_fused *fused, uint32_t count, int across, struct span made,
                 const uint16_t *done, struct span *spans) {
    for (uint32_t tensor = 0; tensor < fused->tensor_count; tensor++) {
        spans[tensor] = (struct span){0, 0};
    }
    spans[fused->stages[count - 1u].result] = made;
    for (uint32_t k = count; k-- > 0;) {
        const struct esq_stage *stage = &fused->stages[k];
        const struct esq_window *window = &stage->window;
        const struct esq_slot *source = stage->op.input[0];
        struct span next = spans[stage->result];
        next.first = (uint16_t)at_least(done[stage->result], next.first);
        if (next.first < next.end) {
            spans[stage->source] = joined(spans[stage->source],
                                          across ? under(next, window->stride_w, window->pad_left,
                                                         window->width, source->width)
                                                 : under(next, window->stride_h, window->pad_top,
                                                         window->height, source->height));
        }
    }
}

/* Operators before those that read running maxima, or all. */
static uint32_t producers_of(const struct esq_fused *fused) {
    return fused->is_running ? fused->stage_count - 2u : fused->stage_count;
}

/* Moves columns to the front of the held ones, of some rows. */
static void keep(const struct esq_slot *slot, int8_t *arena, struct span rows, uint32_t from,
                 uint32_t columns) {
    for (uint32_t row = rows.first; row < rows.end && columns > 0; row++) {
        int8_t *place = esq_row(arena, slot, row);
        esq_copy(place + from * slot->pixel_bytes, columns * slot->pixel_bytes, place);
    }
}

/* The rows of the source under the windows of a row. */
static struct span rows_under(const struct esq_stage *stage, uint32_t row) {
    return under(span_of(row, row + 1u), stage->window.stride_h, stage->window.pad_top,
                 stage->window.height, stage->op.input[0]->height);
}

/* Some rows of a max pool, each from all rows under its window. */
static void take_maxima(const struct esq_stage *stage, const struct esq_op *op, int8_t *arena,
                        struct span rows) {
    for (uint32_t row = rows.first; row < rows.end; row++) {
        const struct span in = rows_under(stage, row);
        for (uint32_t y = in.first; y < in.end; y++) {
            struct esq_progress progress = {(uint16_t)y, (uint16_t)row};
            op->run(op, arena, &progress);
        }
    }
}

/* Where a strip is; in working memory, for it would take half of what the stack has. Mirror:
 * STATE_BYTES in edgesq/kernels/strips.py. */
struct strip {
    struct span rows[ESQ_TENSORS];   /* of each tensor, in this band */
    struct span wanted[ESQ_TENSORS]; /* columns of each tensor */
    struct esq_progress at;          /* before the strip */
    uint16_t first[ESQ_TENSORS];     /* column that is held in front, of each tensor */
    uint16_t end[ESQ_TENSORS];       /* one past the last that is there */
    uint16_t done[ESQ_TENSORS];      /* the same before the strip */
};

_Static_assert(sizeof(struct strip) <= 144, "the plan leaves 144 bytes");

/* An operator as it is to see a strip. */
struct view {
    struct esq_op op;
    struct esq_slot input;
    struct esq_slot output;
};

/* Fills `view` for some rows and columns of an operator's result. */
static void look(const struct esq_stage *stage, const struct strip *strip, struct span rows,
                 struct span columns, struct view *view) {
    const struct esq_window *window = &stage->window;
    const uint32_t left = (uint32_t)columns.first * window->stride_w;
    const uint32_t from = left > window->pad_left ? left - window->pad_left : 0;
    view->input = *stage->op.input[0];
    view->input.offset_bytes += (from - strip->first[stage->source]) * view->input.pixel_bytes;
    view->input.width = (uint16_t)(strip->end[stage->source] - from);
    view->output = *stage->op.output;
    const uint32_t to = (uint32_t)columns.first - strip->first[stage->result];
    view->output.offset_bytes += to * view->output.pixel_bytes;
    view->output.width = (uint16_t)(columns.end - columns.first);
    view->output.height = (uint16_t)rows.end;
    view->op = stage->op;
    view->op.params = columns.first > 0 ? stage->inside : stage->op.params;
    view->op.input[0] = &view->input;
    view->op.output = &view->output;
    view->op.band_units = (uint16_t)(rows.end - rows.first);
}

/* Not inlined: while an operator runs, the stack holds one view. */
__attribute__((noinline)) static void run_stage(const struct esq_stage *stage, int8_t *arena,
                                                const struct strip *strip, struct span rows,
                                                struct span columns, uint32_t in_row) {
    struct view view;
    look(stage, strip, rows, columns, &view);
    struct esq_progress progress = {in_row == ESQ_ALL_ROWS ? 0 : (uint16_t)in_row, rows.first};
    if (view.op.takes_maximum && in_row == ESQ_ALL_ROWS) {
        take_maxima(stage, &view.op, arena, rows);
    } else {
        view.op.run(&view.op, arena, &progress);
    }
}

/* Takes a strip of one row into the running maxima whose windows hold it, and lets the last
 * operator read those that are complete. Returns the first row that is not. */
static uint32_t run_maxima(const struct esq_stage *pool, int8_t *arena, const struct strip *strip,
                           struct span columns) {
    const uint32_t height = pool->op.output->height;
    uint32_t row = strip->at.out_row;
    for (; row < height && rows_under(pool, row).first <= strip->at.in_row; row++) {
        const struct span made = span_of(row, row + 1u);
        run_stage(pool, arena, strip, made, columns, strip->at.in_row);
        if (rows_under(pool, row).end > strip->at.in_row + 1u) {
            break; /* more of its rows are to come, and no other window has begun */
        }
        run_stage(pool + 1, arena, strip, made, columns, ESQ_ALL_ROWS);
    }
    return row;
}

/* One strip of a band: columns `made` of the output. Returns one past the last row that is made. */
static uint32_t run_strip(const struct esq_fused *fused, int8_t *arena, struct strip *strip,
                          struct span made) {
    const uint32_t last = fused->tensor_count - 1u;
    const uint32_t maxima = fused->is_running ? last - 1u : last; /* never moved: a whole row */
    want(fused, fused->stage_count, 1, made, strip->end, strip->wanted);
    for (uint32_t tensor = 1; tensor <= last; tensor++) {
        const struct span next = strip->wanted[tensor];
        strip->done[tensor] = (uint16_t)at_least(next.first, strip->end[tensor]);
        if (next.first < next.end && tensor < maxima) {
            keep(&fused->tensors[tensor], arena, strip->rows[tensor],
                 (uint32_t)next.first - strip->first[tensor],
                 (uint32_t)strip->done[tensor] - next.first);
            strip->first[tensor] = next.first;
        }
        strip->end[tensor] = (uint16_t)at_least(next.end, strip->end[tensor]);
    }
    const uint32_t producers = producers_of(fused);
    for (uint32_t k = 0; k < producers; k++) {
        const struct esq_stage *stage = &fused->stages[k];
        const struct span columns = {strip->done[stage->result], strip->wanted[stage->result].end};
        if (columns.first < columns.end) {
            run_stage(stage, arena, strip, strip->rows[stage->result], columns, ESQ_ALL_ROWS);
        }
    }
    return fused->is_running ? run_maxima(&fused->stages[producers], arena, strip, made)
                             : strip->rows[last].end;
}

void esq_run_fused(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_fused *fused = op->params;
    const struct span band = span_of(progress->out_row, esq_band_end(op, progress));
    const struct span taken = span_of(progress->in_row, progress->in_row + 1u);
    const uint32_t width = op->output->width;
    static const uint16_t none[ESQ_TENSORS];
    void *const work = arena + op->work_offset_bytes;
    struct strip *strip = work;
    *strip = (struct strip){.at = *progress, .end = {op->input[0]->width}};
    want(fused, producers_of(fused), 0, fused->is_running ? taken : band, none, strip->rows);
    for (uint32_t column = 0; column < width; column += fused->columns) {
        const struct span made = span_of(column, at_most(width, column + fused->columns));
        progress->out_row = (uint16_t)run_strip(fused, arena, strip, made);
    }
    progress->in_row += fused->is_running;
}
