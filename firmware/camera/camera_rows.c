#include "camera_rows.h"

/* ITU-R BT.601: 0.299, 0.587 and 0.114 in 16 bits, as Pillow has them. */
#define ESQ_LUMA_RED 19595u
#define ESQ_LUMA_GREEN 38470u
#define ESQ_LUMA_BLUE 7471u

/* A side of the frame, and the part of it that is used. */
struct part {
    uint32_t from, length;
};

static struct part centred(uint32_t side, uint32_t length) {
    return (struct part){(side - length) / 2u, length};
}

/* The nearest of the part's pixels to pixel i of n. */
static uint32_t nearest(struct part part, uint32_t i, uint32_t n) {
    return part.from + (2u * i + 1u) * part.length / (2u * n);
}

static uint32_t at_least_one(uint32_t length) { return length != 0 ? length : 1u; }

static void unpack_rgb565(uint32_t pixel, uint8_t *rgb) {
    const uint32_t red = pixel >> 11, green = pixel >> 5 & 63u, blue = pixel & 31u;
    rgb[0] = (uint8_t)(red << 3 | red >> 2);
    rgb[1] = (uint8_t)(green << 2 | green >> 4);
    rgb[2] = (uint8_t)(blue << 3 | blue >> 2);
}

static void unpack(enum esq_camera_pixels pixels, const uint8_t *row, uint32_t x, uint8_t *rgb) {
    if (pixels == ESQ_CAMERA_GREY) {
        rgb[0] = rgb[1] = rgb[2] = row[x];
    } else {
        const uint32_t low = pixels == ESQ_CAMERA_RGB565 ? 0 : 1u;
        const uint8_t *bytes = row + 2u * x;
        unpack_rgb565((uint32_t)bytes[low ^ 1u] << 8 | bytes[low], rgb);
    }
}

void esq_camera_row(const struct esq_camera_frame *frame, const struct esq_camera_input *input,
                    uint32_t y, uint8_t *row) {
    const uint32_t fitting_width = frame->height * input->width / input->height;
    const uint32_t fitting_height = frame->width * input->height / input->width;
    const int is_wide = fitting_width < frame->width;
    const struct part columns =
        centred(frame->width, is_wide ? at_least_one(fitting_width) : frame->width);
    const struct part rows =
        centred(frame->height, is_wide ? frame->height : at_least_one(fitting_height));
    const uint8_t *from = frame->bytes + nearest(rows, y, input->height) * frame->pitch_bytes;
    for (uint32_t x = 0; x < input->width; x++) {
        uint8_t rgb[3];
        unpack(frame->pixels, from, nearest(columns, x, input->width), rgb);
        if (input->channels == 3u) {
            *row++ = rgb[0];
            *row++ = rgb[1];
            *row++ = rgb[2];
        } else {
            *row++ = (uint8_t)((ESQ_LUMA_RED * rgb[0] + ESQ_LUMA_GREEN * rgb[1] +
                                ESQ_LUMA_BLUE * rgb[2] + 0x8000u) >>
                               16);
        }
    }
}
