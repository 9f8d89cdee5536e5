/* A portable CONV_2D whose output only a mean over the image reads: a strip of pixels at a time. */
#include "../esq_windows.h"

static void add_pixels(const int8_t *pixel, uint32_t pixel_bytes, uint32_t pixels,
                       uint32_t channels, int32_t *sums) {
    for (uint32_t x = 0; x < pixels; x++) {
        for (uint32_t c = 0; c < channels; c++) {
            sums[c] += pixel[c];
        }
        pixel += pixel_bytes;
    }
}

void esq_portable_add_row(const void *conv, const struct esq_op *op, int8_t *arena,
                          const struct esq_rows *rows, const struct esq_slot *output,
                          int32_t *sums) {
    const struct esq_conv2d *params = conv;
    int8_t *pixels = arena + op->work_offset_bytes;
    const int8_t *under[ESQ_MAX_WINDOW_ROWS];
    struct esq_slot strip = *output;
    strip.channels = (uint16_t)rows->channels;
    esq_rows_under(&params->window, op->input[0], arena, rows->first, under);
    for (uint32_t x = 0; x < strip.width; x += ESQ_STRIP_PIXELS) {
        const uint32_t next = x + ESQ_STRIP_PIXELS;
        const struct esq_columns columns = {x, next < strip.width ? next : strip.width};
        esq_conv2d_s8(params, op->input[0], under, &strip, columns, pixels);
        add_pixels(pixels, strip.pixel_bytes, columns.end - x, strip.channels, sums);
    }
}
