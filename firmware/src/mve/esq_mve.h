/* Convolution sums on cores with MVE (Armv8.1-M with Helium: Cortex-M55, M85).
 *
 * Four output channels, a quad, are computed together, as two pairs: channels 0 and 2, then 1 and
 * 3. The input's zero point is folded into the bias, so that padding is the zero point.
 * Mirror: edgesq/kernels/mve/pack.py.
 */
#ifndef ESQ_MVE_H
#define ESQ_MVE_H

#include "../esq_windows.h"
#include "esq_mve_ops.h"

/* Input values that one instruction multiplies. */
#define ESQ_MVE_BLOCK 16u

#define ESQ_MVE_MAX_PIXELS 3u

/* Output channels computed together. */
#define ESQ_MVE_QUAD 4u

/* What a kernel computes: all quads of `table` for n pixels.
 *
 * pixels       windows of input values, `blocks` times 16 each.
 * weights      int8 [quads][2 pairs][blocks][2 channels][16]; the second pair's blocks come last to
 *              first, so that rows of a window that are not there leave one gap in every quad.
 *              A kernel loads 16 bytes ahead: as many follow the last, of any value.
 * table        int32 [quads][16], of four channels each: bias, multiplier, and two more; or
 *              [quads][24]: before that, bias without the window's last row, and without its first.
 * table_end    past the last quad, at least one.
 * result       relu: int8, n pixels `pixel_bytes` apart. sums: int32 [quads][n][4], without bias.
 */
struct esq_mve_job {
    const int8_t *pixels[ESQ_MVE_MAX_PIXELS];
    uint32_t blocks;
    const int8_t *weights;
    void *result;
    uint32_t pixel_bytes;
    const int32_t *table;
    const int32_t *table_end;
    uint32_t gap_bytes; /* left out of every quad's weights */
    uint32_t first_row; /* of the window's rows, inside the image */
    uint32_t channels;
    uint32_t count; /* of pixels */
};

/* The input under one output row. */
struct esq_mve_view {
    const struct esq_conv2d_mve *params;
    const struct esq_slot *input;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    struct esq_present present;
    int solid; /* no row is absent, pixels lie side by side */
    int8_t *work;
};

typedef void esq_mve_kernel(const struct esq_mve_job *job);

/* Requantized where negative results clamp to zero point -128; table rows bias, multiplier, addend
 * and left shift: the result is the upper byte of saturated (product + addend) << shift. */
esq_mve_kernel esq_mve_relu_1;
esq_mve_kernel esq_mve_relu_2;
esq_mve_kernel esq_mve_relu_3;

/* The same with the longer table rows: all of the window, without its first row (it lies above the
 * image), without its last. */
esq_mve_kernel esq_mve_inner_1;
esq_mve_kernel esq_mve_inner_2;
esq_mve_kernel esq_mve_inner_3;
esq_mve_kernel esq_mve_above_1;
esq_mve_kernel esq_mve_above_2;
esq_mve_kernel esq_mve_above_3;
esq_mve_kernel esq_mve_below_1;
esq_mve_kernel esq_mve_below_2;
esq_mve_kernel esq_mve_below_3;

/* Plain sums; of the table rows only their number counts. */
esq_mve_kernel esq_mve_sums_1;
esq_mve_kernel esq_mve_sums_2;
esq_mve_kernel esq_mve_sums_3;

/* The job for channels [first, first + channels) of a job for all of them; 4 divides `first`. */
struct esq_mve_job esq_mve_part(const struct esq_conv2d_mve *params, const struct esq_mve_job *job,
                                uint32_t first, uint32_t channels);

/* sums [channels] += each of the pixels. */
void esq_mve_add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                        uint32_t channels, int32_t *sums);

#endif
