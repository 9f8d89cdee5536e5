/* DEPTHWISE_CONV_2D on cores without DSP. Mirror: edgesq/kernels/scalar/depthwise.py.
 *
 * Up to three neighbouring output pixels at a time, channel by channel: a weight is loaded once for
 * all three, and where windows are three wide and at most two apart, so is an input that several
 * share. Inputs are raw: the zero point is folded into the bias, and what lies beside the image is
 * the zero point.
 */
#include "../esq_windows.h"
#include "esq_depthwise_v7m.h"
#include "esq_scalar_ops.h"
#include "esq_scalar_values.h"

#define ESQ_TOGETHER 3u
#define ESQ_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Up to three output pixels of a row, and the input columns under their windows. */
struct tile {
    const struct esq_depthwise_scalar *params;
    const int8_t *const *rows; /* [window.height], from column 0 on; NULL beside the image */
    const int8_t *const *rows_end;
    int32_t offset_bytes; /* from there to the input channel */
    int32_t pixel_bytes;
    int32_t zero_point; /* of the input */
    uint32_t first;     /* of the columns inside the image */
    uint32_t count;     /* of these */
    uint32_t pixels;    /* three, or all that there are */
    int8_t *result;
    uint32_t result_bytes; /* to the next pixel */
};

struct sums {
    int32_t at[ESQ_TOGETHER];
};

/* A kind of tile. All functions that take one are inlined with a constant, so that the compiler
 * unrolls the loops and leaves out what is not needed. One number: structs it does not see through.
 */
#define ESQ_KIND(width, stride, is_edge) ((width) | (stride) << 4 | (uint32_t)(is_edge) << 8)

/* The width of windows; 0: any. */
static inline uint32_t width_of(uint32_t kind) { return kind & 15u; }

/* Columns from one to the next, where they have a width. */
static inline uint32_t stride_of(uint32_t kind) { return kind >> 4 & 15u; }

/* Whether something may lie beside the image. */
static inline int is_edge(uint32_t kind) { return kind >> 8 & 1u; }

/* Columns before the image are huge numbers less the first one inside. */
static inline int is_beside(const struct tile *tile, uint32_t column) {
    return column - tile->first >= tile->count;
}

/* Adds one row under windows of a fixed width, at most half of the outermost ones beside the image.
 */
ESQ_ALWAYS_INLINE void add_fixed(const struct tile *tile, const int8_t *pixel,
                                 const int8_t *weights, uint32_t kind, struct sums *sums) {
    const uint32_t columns = (ESQ_TOGETHER - 1) * stride_of(kind) + width_of(kind);
#pragma GCC unroll 9
    for (uint32_t column = 0; column < columns; column++) {
        const uint32_t half = width_of(kind) / 2u;
        const int is_outer = column < half || column >= columns - half;
        const int32_t value =
            is_edge(kind) && is_outer && is_beside(tile, column) ? tile->zero_point : *pixel;
        pixel += tile->pixel_bytes;
#pragma GCC unroll 3
        for (uint32_t k = 0; k < ESQ_TOGETHER; k++) {
            if (column - k * stride_of(kind) < width_of(kind)) {
                sums->at[k] += value * weights[column - k * stride_of(kind)];
            }
        }
    }
}

/* Adds one row under any windows. */
ESQ_ALWAYS_INLINE void add_any(const struct tile *tile, const int8_t *pixel, const int8_t *weights,
                               uint32_t kind, struct sums *sums) {
    const struct esq_window *window = &tile->params->window;
    const int32_t apart = window->stride_w * tile->pixel_bytes;
    for (uint32_t x = 0; x < window->width; x++, pixel += tile->pixel_bytes) {
        const int32_t weight = *weights++;
#pragma GCC unroll 3
        for (uint32_t k = 0; k < ESQ_TOGETHER; k++) {
            const int32_t value = is_edge(kind) && is_beside(tile, x + k * window->stride_w)
                                      ? tile->zero_point
                                      : pixel[(int32_t)k * apart];
            sums->at[k] += value * weight;
        }
    }
}

/* What a row beside the image adds to every sum. */
static int32_t beside(const int8_t *weights, uint32_t width, int32_t zero_point) {
    int32_t sum = 0;
    for (uint32_t x = 0; x < width; x++) {
        sum += weights[x];
    }
    return sum * zero_point;
}

/* One output channel of a tile. */
ESQ_ALWAYS_INLINE struct sums sums_of(const struct tile *tile, const int8_t *weights, int32_t bias,
                                      uint32_t kind) {
    const uint32_t width = width_of(kind) ? width_of(kind) : tile->params->window.width;
    struct sums sums = {{bias, bias, bias}};
    const int8_t *const *row = tile->rows;
    do {
        if (is_edge(kind) && !*row) {
            const int32_t same = beside(weights, width, tile->zero_point);
            for (uint32_t k = 0; k < ESQ_TOGETHER; k++) {
                sums.at[k] += same;
            }
        } else {
            (width_of(kind) ? add_fixed : add_any)(tile, *row + tile->offset_bytes, weights, kind,
                                                   &sums);
        }
        weights += width;
    } while (++row < tile->rows_end);
    return sums;
}

/* All output channels of a tile, which is a copy: results may lie anywhere. */
ESQ_ALWAYS_INLINE void compute(struct tile tile, uint32_t kind) {
    const struct esq_depthwise_scalar *params = tile.params;
    const uint32_t taps = params->taps;
    const int32_t output_zp = params->output_zp;
    const int8_t *weights = params->weights;
    const struct esq_depthwise_end *end = params->ends;
    uint32_t left = params->each; /* output channels of this input channel */
    for (uint32_t channels = params->outputs; channels > 0; channels--) {
        const int32_t bias_right = end->bias_right;
        const struct sums sums = sums_of(&tile, weights, bias_right >> ESQ_RIGHT_BITS, kind);
        const struct esq_short by =
            esq_short_of(end->multiplier, bias_right & ((1 << ESQ_RIGHT_BITS) - 1), output_zp);
#pragma GCC unroll 3
        for (uint32_t k = 0; k < ESQ_TOGETHER; k++) {
            if (is_edge(kind) && width_of(kind) == 0 && k >= tile.pixels) {
                break; /* a row of less than three */
            }
            tile.result[k * tile.result_bytes] = esq_short_end(sums.at[k], by);
        }
        weights += taps;
        tile.result++;
        end++;
        if (--left == 0) {
            left = params->each;
            tile.offset_bytes++;
        }
    }
}

#if defined(__ARM_ARCH_7M__)
/* Whether windows of a fixed width have an assembler body where they are three high. */
static inline int has_assembler(uint32_t width) { return width == 3u; }

static inline esq_depthwise_kernel *kernel_of(uint32_t kind) {
    if (stride_of(kind) == 1u) {
        return is_edge(kind) ? esq_depthwise_beside_edge : esq_depthwise_beside_inside;
    }
    return is_edge(kind) ? esq_depthwise_apart_edge : esq_depthwise_apart_inside;
}
#else
static inline int has_assembler(uint32_t width) {
    (void)width;
    return 0;
}

static inline esq_depthwise_kernel *kernel_of(uint32_t kind) {
    (void)kind;
    return 0;
}
#endif

/* Runs the assembler body where it fits: no row lies beside the image. Says whether it did. */
ESQ_ALWAYS_INLINE int is_assembled(const struct tile *tile, uint32_t kind) {
    const struct esq_depthwise_scalar *params = tile->params;
    const int8_t *const *rows = tile->rows;
    if (!has_assembler(width_of(kind)) || params->window.height != 3 || params->each != 1 ||
        !rows[0] || !rows[2]) {
        return 0;
    }
    const uint32_t last = (ESQ_TOGETHER - 1) * stride_of(kind) + width_of(kind) - 1;
    const struct esq_depthwise_job job = {
        .rows = {rows[0] + tile->offset_bytes, rows[1] + tile->offset_bytes,
                 rows[2] + tile->offset_bytes},
        .pixel_bytes = (uint32_t)tile->pixel_bytes,
        .weights = params->weights,
        .ends = params->ends,
        .result = tile->result,
        .result_bytes = tile->result_bytes,
        .rounded_zp = 2 * params->output_zp + 1,
        .input_zp = tile->zero_point,
        .beside = (uint32_t)is_beside(tile, 0) | (uint32_t)is_beside(tile, last) << 1,
        .channels = params->outputs,
    };
    kernel_of(kind)(&job);
    return 1;
}

typedef void esq_compute_tile_fn(const struct tile *tile);

/* Tiles of three pixels of which nothing lies beside the image, and all others. */
struct esq_depthwise_way {
    esq_compute_tile_fn *inside;
    esq_compute_tile_fn *edge;
};

#define ESQ_WAY(way, width, stride)                                                                \
    static void way##_edge(const struct tile *tile) {                                              \
        if (!is_assembled(tile, ESQ_KIND(width, stride, 1))) {                                     \
            compute(*tile, ESQ_KIND(width, stride, 1));                                            \
        }                                                                                          \
    }                                                                                              \
    static void way##_inside(const struct tile *tile) {                                            \
        if (!has_assembler(width)) {                                                               \
            compute(*tile, ESQ_KIND(width, stride, 0));                                            \
        } else if (!is_assembled(tile, ESQ_KIND(width, stride, 0))) {                              \
            way##_edge(tile);                                                                      \
        }                                                                                          \
    }                                                                                              \
    const struct esq_depthwise_way esq_scalar_##way = {way##_inside, way##_edge};

ESQ_WAY(beside_3, 3u, 1u)
ESQ_WAY(apart_3, 3u, 2u)
ESQ_WAY(beside_5, 5u, 1u)
ESQ_WAY(any, 0u, 0u)

/* Moves a tile to input column `left`; says whether all under it lies in the image. */
static int place(struct tile *tile, const struct esq_slot *input, int32_t left) {
    const struct esq_window *window = &tile->params->window;
    const int32_t columns = (int32_t)((ESQ_TOGETHER - 1) * window->stride_w) + window->width;
    const int32_t first = left < 0 ? -left : 0;
    const int32_t inside = input->width - left; /* one past the last */
    const int32_t end = inside < columns ? inside : columns;
    tile->offset_bytes = left * tile->pixel_bytes;
    tile->first = (uint32_t)first;
    tile->count = end > first ? (uint32_t)(end - first) : 0;
    return first == 0 && end == columns;
}

/* The last tile overlaps the one before it, where three do not divide the row. */
static void compute_row(struct tile *tile, const struct esq_op *op, int8_t *result,
                        int has_all_rows) {
    const struct esq_depthwise_scalar *params = tile->params;
    const uint32_t width = op->output->width;
    tile->pixels = width < ESQ_TOGETHER ? width : ESQ_TOGETHER;
    for (uint32_t end = tile->pixels; end < width + ESQ_TOGETHER; end += ESQ_TOGETHER) {
        const uint32_t first = (end < width ? end : width) - tile->pixels;
        const int32_t left = (int32_t)(first * params->window.stride_w) - params->window.pad_left;
        const int is_inside = place(tile, op->input[0], left) && has_all_rows;
        tile->result = result + first * tile->result_bytes;
        (is_inside ? params->way->inside : params->way->edge)(tile);
    }
}

void esq_run_depthwise_conv2d_scalar(const struct esq_op *op, int8_t *arena,
                                     struct esq_progress *progress) {
    const struct esq_depthwise_scalar *params = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct tile tile = {.params = params,
                        .rows = rows,
                        .rows_end = rows + params->window.height,
                        .pixel_bytes = op->input[0]->pixel_bytes,
                        .zero_point = params->input_zp,
                        .result_bytes = op->output->pixel_bytes};
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&params->window, op->input[0], arena, progress->out_row, rows);
        const uint32_t present = esq_present_rows(rows, params->window.height).count;
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        compute_row(&tile, op, result, present == params->window.height);
    }
}
