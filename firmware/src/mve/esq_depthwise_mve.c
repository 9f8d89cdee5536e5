/* DEPTHWISE_CONV_2D on MVE. Mirror: edgesq/kernels/mve/pack.py.
 *
 * Eight channels of the rows under a tile of outputs are set out as one strip per channel, column
 * by column, so that every window is one run of bytes and neighbouring windows overlap: a window is
 * a dot product with VMLADAV. Four channels of sums are then requantized together. The input's zero
 * point is folded into the bias, so that padding is the zero point.
 */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

#if defined(__ARM_FEATURE_MVE)

#include "esq_depthwise_mve.h"
#include "esq_requantize_mve.h"

/* Channels that one scatter stores. */
#define ESQ_STRIPS 8u

#define ESQ_QUAD 4u
#define ESQ_TABLE_ROW 16u

/* Outputs [column, column + pixels) of a row. */
struct tile {
    const struct esq_depthwise_mve *params;
    const struct esq_slot *input;
    const int8_t *const *rows;
    uint32_t column;
    uint32_t pixels;
    int8_t *strips;
    uint32_t strip_bytes;
    int8_t *result;
    uint32_t pixel_bytes;
};

/* Channels [0, ESQ_STRIPS) that exist, and where the next value of each goes. */
struct lanes {
    uint16x8_t offsets;
    uint32_t there;
    uint32_t step; /* from one column to the next */
};

/* `columns` pixels into the strips, 6 instructions for 8 values. */
static inline void scatter(const int8_t *pixel, uint32_t pixel_bytes, uint32_t columns,
                           const struct lanes *lanes, int8_t *to) {
    __asm volatile("vmsr p0, %3\n\t"
                   "wls lr, %2, 2f\n"
                   "1: vpstt\n\t"
                   "vldrbt.u16 q0, [%0]\n\t"
                   "vstrbt.16 q0, [%1, %q4]\n\t"
                   "add %0, %0, %5\n\t"
                   "add %1, %1, %6\n\t"
                   "le lr, 1b\n"
                   "2:"
                   : "+l"(pixel), "+r"(to)
                   : "r"(columns), "r"(lanes->there), "w"(lanes->offsets), "r"(pixel_bytes),
                     "r"(lanes->step)
                   : "lr", "q0", "memory");
}

/* The same for three rows, which begin `offsets`, `offsets` + 1 and + 2 into the strips, and for
 * eight channels: 11 instructions for 24 values. */
static inline void scatter_three(const int8_t *const rows[3], uint32_t pixel_bytes,
                                 uint32_t columns, const struct lanes *lanes, int8_t *to) {
    const int8_t *first = rows[0];
    const int8_t *second = rows[1];
    const int8_t *third = rows[2];
    __asm volatile("movs r2, #1\n\t"
                   "vadd.i16 q2, %q6, r2\n\t"
                   "vadd.i16 q3, q2, r2\n\t"
                   "wls lr, %4, 2f\n"
                   "1: vldrb.u16 q0, [%0]\n\t"
                   "add %0, %0, %5\n\t"
                   "vstrb.16 q0, [%3, %q6]\n\t"
                   "vldrb.u16 q1, [%1]\n\t"
                   "add %1, %1, %5\n\t"
                   "vstrb.16 q1, [%3, q2]\n\t"
                   "vldrb.u16 q0, [%2]\n\t"
                   "add %2, %2, %5\n\t"
                   "vstrb.16 q0, [%3, q3]\n\t"
                   "adds %3, %3, #3\n\t"
                   "le lr, 1b\n"
                   "2:"
                   : "+l"(first), "+l"(second), "+l"(third), "+l"(to)
                   : "r"(columns), "r"(pixel_bytes), "w"(lanes->offsets)
                   : "lr", "r2", "q0", "q1", "q2", "q3", "cc", "memory");
}

static int8_t *fill(int8_t value, uint32_t columns, const struct lanes *lanes, int8_t *to) {
    for (; columns > 0; columns--) {
        vstrbq_scatter_offset_u16((uint8_t *)to, lanes->offsets, vdupq_n_u16((uint8_t)value));
        to += lanes->step;
    }
    return to;
}

/* The columns under a tile: so many beside the image, inside, and beside it again. */
struct columns {
    uint32_t before;
    uint32_t inside;
    uint32_t after;
    uint32_t start_bytes; /* of the first one inside */
};

static struct columns columns_of(const struct tile *tile) {
    const struct esq_window *window = &tile->params->window;
    const int32_t column = (int32_t)(tile->column * window->stride_w) - window->pad_left;
    const uint32_t columns = (tile->pixels - 1u) * window->stride_w + window->width;
    const uint32_t before = column < 0 ? (uint32_t)-column : 0;
    const uint32_t start = column < 0 ? 0 : (uint32_t)column;
    const uint32_t most = tile->input->width - start;
    const uint32_t inside = columns - before < most ? columns - before : most;
    return (struct columns){before, inside, columns - before - inside,
                            start * tile->input->pixel_bytes};
}

/* Sets out what lies beside the image: the same for all channels, so done once for a tile. */
static void set_out_padding(const struct tile *tile, const struct columns *columns,
                            const struct lanes *lanes) {
    const int8_t zero = (int8_t)tile->params->input_zp;
    for (uint32_t y = 0; y < tile->params->window.height; y++) {
        const uint32_t absent = tile->rows[y] ? 0 : columns->inside;
        int8_t *to = fill(zero, columns->before + absent, lanes, tile->strips + y);
        to += (columns->inside - absent) * lanes->step;
        fill(zero, columns->after, lanes, to);
    }
}

/* Sets out the rows under a tile, channels from `first` on. */
static void set_out(const struct tile *tile, const struct columns *columns,
                    const struct lanes *lanes, uint32_t first) {
    const uint32_t pixel_bytes = tile->input->pixel_bytes;
    const uint32_t offset_bytes = columns->start_bytes + first;
    const int8_t *const *rows = tile->rows;
    int8_t *to = tile->strips + columns->before * lanes->step;
    if (lanes->step == 3 && tile->input->channels - first >= ESQ_STRIPS && rows[0] && rows[1] &&
        rows[2]) {
        const int8_t *const three[3] = {rows[0] + offset_bytes, rows[1] + offset_bytes,
                                        rows[2] + offset_bytes};
        scatter_three(three, pixel_bytes, columns->inside, lanes, to);
        return;
    }
    for (uint32_t y = 0; y < lanes->step; y++) {
        if (rows[y]) {
            scatter(rows[y] + offset_bytes, pixel_bytes, columns->inside, lanes, to + y);
        }
    }
}

/* One channel of 3x3 windows one column apart: 9 instructions for three. */
static inline void sums_of_threes(const int8_t *strip, const int8_t *weights, uint32_t threes,
                                  int32_t *sums) {
    __asm volatile("vldrb.8 q1, [%2]\n\t"
                   "vldrb.8 q2, [%2, #-3]\n\t"
                   "vldrb.8 q3, [%2, #-6]\n\t"
                   "wls lr, %3, 2f\n"
                   "1: vldrb.8 q0, [%0], #9\n\t"
                   "vmladav.s8 r2, q0, q1\n\t"
                   "vmladav.s8 r4, q0, q2\n\t"
                   "str r2, [%1], #48\n\t"
                   "vmladav.s8 r6, q0, q3\n\t"
                   "str r4, [%1, #-32]\n\t"
                   "str r6, [%1, #-16]\n\t"
                   "le lr, 1b\n"
                   "2:"
                   : "+r"(strip), "+r"(sums)
                   : "r"(weights), "r"(threes)
                   : "lr", "r2", "r4", "r6", "q0", "q1", "q2", "q3", "memory");
}

/* The same two columns apart: 6 instructions for two. */
static inline void sums_of_twos(const int8_t *strip, const int8_t *weights, uint32_t twos,
                                int32_t *sums) {
    __asm volatile("vldrb.8 q1, [%2]\n\t"
                   "vldrb.8 q2, [%2, #-6]\n\t"
                   "wls lr, %3, 2f\n"
                   "1: vldrb.8 q0, [%0], #12\n\t"
                   "vmladav.s8 r2, q0, q1\n\t"
                   "vmladav.s8 r4, q0, q2\n\t"
                   "str r2, [%1], #32\n\t"
                   "str r4, [%1, #-16]\n\t"
                   "le lr, 1b\n"
                   "2:"
                   : "+r"(strip), "+r"(sums)
                   : "r"(weights), "r"(twos)
                   : "lr", "r2", "r4", "q0", "q1", "q2", "memory");
}

/* One channel of any windows, `step` bytes apart. */
static void sums_of(const int8_t *strip, const int8_t *weights, uint32_t blocks, uint32_t step,
                    uint32_t pixels, int32_t *sums) {
    for (; pixels > 0; pixels--) {
        int32_t sum = 0;
        for (uint32_t block = 0; block < blocks; block++) {
            sum = vmladavaq_s8(sum, vldrbq_s8(strip + block * ESQ_MVE_STRIP_BLOCK),
                               vldrbq_s8(weights + block * ESQ_MVE_STRIP_BLOCK));
        }
        *sums = sum;
        sums += ESQ_QUAD;
        strip += step;
    }
}

/* Sums int32 [pixels, 4] to int8 where results below zero point -128 clamp to it: 9 instructions
 * for four. */
static void finish_relu(const struct tile *tile, const int32_t *table, const int32_t *sums,
                        int8_t *result) {
    __asm volatile("vldrw.u32 q1, [%2]\n\t"
                   "vldrw.u32 q2, [%2, #16]\n\t"
                   "vldrw.u32 q3, [%2, #32]\n\t"
                   "vldrw.u32 q4, [%2, #48]\n\t"
                   "wls lr, %3, 2f\n"
                   "1: vldrw.u32 q0, [%0], #16\n\t"
                   "vadd.i32 q0, q0, q1\n\t"
                   "vqrdmulh.s32 q0, q0, q2\n\t"
                   "vqadd.s32 q0, q0, q3\n\t"
                   "vqshl.s32 q0, q0, q4\n\t"
                   "vshr.s32 q0, q0, #24\n\t"
                   "vstrb.32 q0, [%1]\n\t"
                   "add %1, %1, %4\n\t"
                   "le lr, 1b\n"
                   "2:"
                   : "+r"(sums), "+l"(result)
                   : "r"(table), "r"(tile->pixels), "r"(tile->pixel_bytes)
                   : "lr", "q0", "q1", "q2", "q3", "q4", "memory");
}

/* Sums int32 [pixels, 4] of up to four channels to int8, exactly. */
static void finish_any(const struct tile *tile, const int32_t *table, const int32_t *sums,
                       uint32_t channels, int8_t *result) {
    const struct esq_depthwise_mve *params = tile->params;
    const mve_pred16_t there = vctp32q(channels);
    const int32x4_t bias = vldrwq_s32(table);
    const int32x4_t multiplier = vldrwq_s32(table + 4);
    const int32x4_t left_shift = vldrwq_s32(table + 8);
    const int32x4_t minus_right = vldrwq_s32(table + 12);
    for (uint32_t left = tile->pixels; left > 0; left--) {
        const int32x4_t sum = vaddq_s32(vldrwq_s32(sums), bias);
        const int32x4_t scaled = esq_mve_requantize(sum, multiplier, left_shift, minus_right);
        vstrbq_p_s32(result,
                     esq_mve_clamp(scaled, params->output_zp, params->clamp_min, params->clamp_max),
                     there);
        sums += ESQ_QUAD;
        result += tile->pixel_bytes;
    }
}

/* Up to four output channels, a quad of the table. */
struct quad {
    const struct tile *tile;
    uint32_t first;
    uint32_t channels;
    uint32_t each;    /* outputs per input channel */
    uint32_t channel; /* of the first strip */
    const int8_t *weights;
    int32_t *sums;
};

static inline const int8_t *strip_of(const struct quad *quad, uint32_t c) {
    const uint32_t strip = (quad->first + c) / quad->each - quad->channel;
    return quad->tile->strips + strip * quad->tile->strip_bytes;
}

static void sum_threes(const struct quad *quad) {
    const uint32_t threes = (quad->tile->pixels + 2u) / 3u;
    for (uint32_t c = 0; c < quad->channels; c++) {
        sums_of_threes(strip_of(quad, c), quad->weights + c * ESQ_MVE_STRIP_BLOCK, threes,
                       quad->sums + c);
    }
}

static void sum_twos(const struct quad *quad) {
    const uint32_t twos = (quad->tile->pixels + 1u) / 2u;
    for (uint32_t c = 0; c < quad->channels; c++) {
        sums_of_twos(strip_of(quad, c), quad->weights + c * ESQ_MVE_STRIP_BLOCK, twos,
                     quad->sums + c);
    }
}

static void sum_any(const struct quad *quad) {
    const struct esq_depthwise_mve *params = quad->tile->params;
    const uint32_t step = params->window.height * (uint32_t)params->window.stride_w;
    const uint32_t weights_bytes = params->blocks * ESQ_MVE_STRIP_BLOCK;
    for (uint32_t c = 0; c < quad->channels; c++) {
        sums_of(strip_of(quad, c), quad->weights + c * weights_bytes, params->blocks, step,
                quad->tile->pixels, quad->sums + c);
    }
}

typedef void sum_fn(const struct quad *quad);

static sum_fn *sum_for(const struct esq_window *window) {
    const int square = window->height == 3 && window->width == 3;
    if (square && window->stride_w == 1) {
        return sum_threes;
    }
    return square && window->stride_w == 2 ? sum_twos : sum_any;
}

/* The outputs of the strips, which begin with input channel `channel`. */
static void compute(const struct tile *tile, uint32_t channel, uint32_t end, uint32_t each) {
    const struct esq_depthwise_mve *params = tile->params;
    const uint32_t weights_bytes = params->blocks * ESQ_MVE_STRIP_BLOCK;
    sum_fn *const sum = sum_for(&params->window);
    void *place = tile->strips + esq_mve_strips_bytes(&params->window, tile->strip_bytes);
    struct quad quad = {.tile = tile, .each = each, .channel = channel, .sums = place};
    for (quad.first = channel * each; quad.first < end; quad.first += ESQ_QUAD) {
        quad.channels = end - quad.first < ESQ_QUAD ? end - quad.first : ESQ_QUAD;
        quad.weights = params->weights + ESQ_MVE_STRIP_BLOCK + quad.first * weights_bytes;
        sum(&quad);
        const int32_t *table = params->table + quad.first / ESQ_QUAD * ESQ_TABLE_ROW;
        int8_t *result = tile->result + quad.first;
        if (params->relu) {
            finish_relu(tile, table, quad.sums, result);
        } else {
            finish_any(tile, table, quad.sums, quad.channels, result);
        }
    }
}

static void compute_tile(const struct tile *tile, const struct esq_slot *output) {
    const uint32_t each = output->channels / tile->input->channels;
    const struct columns columns = columns_of(tile);
    struct lanes lanes = {vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)tile->strip_bytes), 0,
                          tile->params->window.height};
    set_out_padding(tile, &columns, &lanes);
    for (uint32_t c = 0; c < tile->input->channels; c += ESQ_STRIPS) {
        const uint32_t end = (c + ESQ_STRIPS) * each;
        lanes.there = vctp16q(tile->input->channels - c);
        set_out(tile, &columns, &lanes, c);
        compute(tile, c, end < output->channels ? end : output->channels, each);
    }
}

void esq_run_depthwise_conv2d_mve(const struct esq_op *op, int8_t *arena,
                                  struct esq_progress *progress) {
    const struct esq_depthwise_mve *params = op->params;
    const struct esq_slot *output = op->output;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct tile tile = {.params = params, .input = op->input[0], .rows = rows};
    tile.strips = arena + op->work_offset_bytes;
    tile.strip_bytes = esq_mve_strip_bytes(&params->window, params->pixels);
    tile.pixel_bytes = output->pixel_bytes;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        tile.result = esq_row(arena, output, progress->out_row);
        for (tile.column = 0; tile.column < output->width; tile.column += tile.pixels) {
            const uint32_t left = output->width - tile.column;
            tile.pixels = left < params->pixels ? left : params->pixels;
            compute_tile(&tile, output);
            tile.result += tile.pixels * output->pixel_bytes;
        }
    }
}

#endif
