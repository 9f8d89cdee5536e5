/* Where the camera is: an ESP32-S3-WROOM board with a camera. Your board's schematic has yours.
 * Source: esp32-camera, examples/camera_example/main/camera_pinout.h, BOARD_ESP32S3_WROOM. */
#ifndef PINS_H
#define PINS_H

#define PINS                                                                                       \
    .pin_pwdn = 38, .pin_reset = -1, .pin_xclk = 15, .pin_sccb_sda = 4, .pin_sccb_scl = 5,         \
    .pin_d7 = 16, .pin_d6 = 17, .pin_d5 = 18, .pin_d4 = 12, .pin_d3 = 10, .pin_d2 = 8,             \
    .pin_d1 = 9, .pin_d0 = 11, .pin_vsync = 6, .pin_href = 7, .pin_pclk = 13

#endif
