/* A convolution of any kernel family whose weights or table are made a tile of channels at a time,
 * or whose output only a mean over the image reads. Mirror: edgesq/codegen/params/conv.py.
 */
#include "../esq_tiles.h"
#include "../esq_windows.h"

/* A tile takes 100 B of stack, which what lies below it must not pay for where there is none. */
#define ESQ_OWN_FRAME __attribute__((noinline))

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* The next tile of `channels` channels in all; 0: there is none. */
static int next(const struct esq_conv2d_parts *params, const struct esq_op *op, uint32_t channels,
                int8_t *arena, struct esq_tile *tile) {
    const struct esq_tiled *tiled = params->tiled;
    tile->rows.channel += tile->rows.channels;
    const uint32_t left = channels - tile->rows.channel;
    tile->rows.channels = at_most(tiled->tile, left);
    if (left > 0) {
        tiled->enter(params->conv, op, tiled, arena, tile);
    }
    return left > 0;
}

static void compute(const struct esq_conv2d_parts *params, const struct esq_op *op, int8_t *arena,
                    struct esq_progress *progress, struct esq_tile *tile) {
    tile->rows.first = progress->out_row;
    tile->rows.end = esq_band_end(op, progress);
    while (next(params, op, op->output->channels, arena, tile)) {
        params->compute(tile->conv, op, arena, &tile->rows);
    }
    progress->out_row = (uint16_t)tile->rows.end;
}

static uint32_t mean_end(const struct esq_mean *mean, const struct esq_op *op,
                         const struct esq_progress *progress) {
    return at_most(mean->rows.height, (uint32_t)progress->in_row + op->band_units);
}

static void add(const struct esq_conv2d_parts *params, const struct esq_op *op, int8_t *arena,
                struct esq_progress *progress, struct esq_tile *tile) {
    const struct esq_mean *mean = params->mean;
    const struct esq_slot *output = &mean->rows;
    int32_t *sums = esq_reduce_begin(op, output->channels, arena, progress);
    tile->rows.end = mean_end(mean, op, progress);
    while (next(params, op, output->channels, arena, tile)) {
        tile->rows.first = progress->in_row;
        for (; tile->rows.first < tile->rows.end; tile->rows.first++) {
            mean->add(tile->conv, op, arena, &tile->rows, output, sums + tile->rows.channel);
        }
    }
    while (progress->in_row < tile->rows.end) {
        esq_reduce_end(op, &mean->reduce, output->height, arena, progress);
    }
}

static ESQ_OWN_FRAME void run_tiled(const struct esq_op *op, int8_t *arena,
                                    struct esq_progress *progress) {
    const struct esq_conv2d_parts *params = op->params;
    struct esq_tile tile;
    tile.rows = (struct esq_rows){0, 0, 0, 0};
    tile.conv = params->conv;
    if (params->mean) {
        add(params, op, arena, progress, &tile);
    } else {
        compute(params, op, arena, progress, &tile);
    }
}

static inline const struct esq_conv2d_parts *parts_of(const struct esq_op *op) {
    return op->params;
}

/* Nothing is kept from call to call that can be read anew, so that it takes little stack. */
static ESQ_OWN_FRAME void run_mean(const struct esq_op *op, int8_t *arena,
                                   struct esq_progress *progress) {
    const struct esq_mean *mean = parts_of(op)->mean;
    struct esq_rows rows = {progress->in_row, mean_end(mean, op, progress), 0, mean->rows.channels};
    esq_reduce_begin(op, mean->rows.channels, arena, progress);
    for (; rows.first < rows.end; rows.first++) {
        void *sums = arena + op->sums_offset_bytes;
        mean = parts_of(op)->mean;
        mean->add(parts_of(op)->conv, op, arena, &rows, &mean->rows, sums);
        mean = parts_of(op)->mean;
        esq_reduce_end(op, &mean->reduce, mean->rows.height, arena, progress);
    }
}

void esq_run_conv2d_parts(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    if (parts_of(op)->tiled) {
        run_tiled(op, arena, progress);
    } else {
        run_mean(op, arena, progress);
    }
}
