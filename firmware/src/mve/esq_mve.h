/* Convolution sums on cores with MVE (Armv8.1-M with Helium: Cortex-M55, M85).
 *
 * Four output channels, a quad, are computed together, as two pairs: channels 0 and 2, then 1 and
 * 3; where windows slide 0 and 1, then 2 and 3. The input's zero point is folded into the bias, so
 * that padding is the zero point.
 * Mirror: edgesq/kernels/mve/pack.py.
 */
#ifndef ESQ_MVE_H
#define ESQ_MVE_H

#include "../esq_windows.h"
#include "esq_mve_ops.h"

/* Input values that one instruction multiplies. */
#define ESQ_MVE_BLOCK 16u

/* Output pixels computed together. */
#define ESQ_MVE_PIXELS 3u

/* Output channels computed together. */
#define ESQ_MVE_QUAD 4u

/* int32 of a table per quad. */
#define ESQ_MVE_TABLE_ROW 16u

/* int32 of the biases at edges per quad: without the window's first row, and without its last. */
#define ESQ_MVE_EDGE_ROW 8u

/* What a kernel computes: all quads of `table` for `count` pixels. Mirror: esq_mve_kernels.S,
 * esq_mve_slide.S.
 *
 * weights      int8 [quads][2 pairs][blocks][2 channels][16]; slide: [quads][2][blocks][3 columns]
 *              [2][16]. The second pair's blocks come last to first, so that a row of the window
 *              that is not there leaves one gap in every quad. A kernel loads 16 bytes ahead: as
 *              many follow the last, of any value.
 * table        int32 [quads][16], of four channels each: bias, multiplier, and two more.
 * table_end    past the last quad, at least one.
 * result       int8, pixels `pixel_bytes` apart. sums: int32 [quads][count][4], without bias, for
 *              at most ESQ_MVE_PIXELS.
 */
struct esq_mve_job {
    const int8_t *window; /* the first pixel's */
    uint32_t step_bytes;  /* to the next one's */
    const int8_t *weights;
    const int32_t *table;
    void *result;
    uint32_t count; /* of pixels, at least one */
    uint32_t pixel_bytes;
    const int32_t *table_end;
    uint32_t blocks; /* under a window; slide: under one of its columns */
    /* slide_edge: where a row of the window lies beside the image. */
    uint32_t turn_bytes; /* left out of the weights behind the first pair */
    uint32_t end_bytes;  /* behind the second */
    const int32_t *bias; /* instead of the table's, quads ESQ_MVE_EDGE_ROW apart; else 0 */
    uint32_t channels;
};

/* The input under one output row. */
struct esq_mve_view {
    const struct esq_conv2d_mve *params;
    const struct esq_slot *input;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct esq_present present;
    int8_t *work;
};

/* As esq_mve_finish_relu, for windows of three columns, one column apart; the second without a row
 * of the window. */
esq_mve_finish_fn esq_mve_slide_relu;
esq_mve_finish_fn esq_mve_slide_edge;

/* Plain sums; of the table rows only their number counts. */
esq_mve_finish_fn esq_mve_sums;

/* The job for channels [first, first + channels) of a job for all of them; 4 divides `first`. */
struct esq_mve_job esq_mve_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *job,
                                uint32_t first, uint32_t channels);

/* sums [channels] += each of the pixels. */
void esq_mve_add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                        uint32_t channels, int32_t *sums);

#endif
