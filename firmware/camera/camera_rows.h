/* Rows of a network's input from a frame that lies in a camera driver's buffer: its largest centred
 * part of the input's shape, of which each pixel is the nearest one. Nothing is kept. */
#ifndef ESQ_CAMERA_ROWS_H
#define ESQ_CAMERA_ROWS_H

#include <stdint.h>

enum esq_camera_pixels {
    ESQ_CAMERA_GREY,       /* 8 bits */
    ESQ_CAMERA_RGB565,     /* 16 bits, the low byte first: V4L2's RGBP */
    ESQ_CAMERA_RGB565_BIG, /* 16 bits, the high byte first, as sensors send them: V4L2's RGBR */
};

/* Sides are 1 to 32,767 pixels long. */
struct esq_camera_frame {
    const uint8_t *bytes;
    uint32_t width, height;
    uint32_t pitch_bytes; /* from the begin of a row to that of the next */
    enum esq_camera_pixels pixels;
};

struct esq_camera_input {
    uint32_t height, width;
    uint32_t channels; /* 3: red, green, blue; 1: grey */
};

/* Writes row `y` of the input, uint8 [width][channels]. Grey is the luma of ITU-R BT.601. */
void esq_camera_row(const struct esq_camera_frame *frame, const struct esq_camera_input *input,
                    uint32_t y, uint8_t *row);

#endif
