/* Classifies what a camera sees: rows go from its driver's buffer into the network. */
#include <stdio.h>

#include "answer.h"
#include "esp_camera.h"
#include "pins.h"
#include "see.h"

#define XCLK_HZ 20000000

static const camera_config_t config = {
    PINS,
    .xclk_freq_hz = XCLK_HZ,
    .ledc_timer = LEDC_TIMER_0,
    .ledc_channel = LEDC_CHANNEL_0,
    .pixel_format = SAMPLE_MODEL_INPUT_CHANNELS == 1 ? PIXFORMAT_GRAYSCALE : PIXFORMAT_RGB565,
    .frame_size = FRAMESIZE_QVGA,
    .fb_count = 1,
    .fb_location = CAMERA_FB_IN_PSRAM,
    .grab_mode = CAMERA_GRAB_WHEN_EMPTY,
};

static enum esq_status see_frame(const camera_fb_t *taken) {
    const int is_grey = taken->format == PIXFORMAT_GRAYSCALE;
    const struct esq_camera_frame frame = {
        .bytes = taken->buf,
        .width = (uint32_t)taken->width,
        .height = (uint32_t)taken->height,
        .pitch_bytes = (uint32_t)taken->width * (is_grey ? 1u : 2u),
        .pixels = is_grey ? ESQ_CAMERA_GREY : ESQ_CAMERA_RGB565_BIG,
    };
    return esq_see(&frame);
}

void app_main(void) {
    if (esp_camera_init(&config) != ESP_OK) {
        printf("failed: no camera at the pins of pins.h\n");
        return;
    }
    for (;;) {
        camera_fb_t *const taken = esp_camera_fb_get();
        if (taken == NULL) {
            printf("failed: no frame\n");
            return;
        }
        const enum esq_status status = see_frame(taken);
        esp_camera_fb_return(taken);
        if (status != ESQ_DONE) {
            printf("failed: esq_status %d\n", (int)status);
            return;
        }
        printf(ESQ_ANSWER_IS " %d\n", (int)esq_answer());
    }
}
