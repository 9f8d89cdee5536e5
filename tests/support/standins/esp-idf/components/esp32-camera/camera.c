/* A camera of QVGA: byte i of its frame n is 7 i + n. It gives two frames. */
#include "esp_camera.h"

#define WIDTH 320u
#define HEIGHT 240u

static uint8_t memory[2u * WIDTH * HEIGHT];
static camera_fb_t only = {.buf = memory, .width = WIDTH, .height = HEIGHT};
static int is_taken;
static uint8_t n_frames;

esp_err_t esp_camera_init(const camera_config_t *config) {
    const int is_good = config->xclk_freq_hz == 20000000 && config->fb_count == 1 &&
                        config->frame_size == FRAMESIZE_QVGA && config->pin_pclk > 0;
    only.format = config->pixel_format;
    only.len = (only.format == PIXFORMAT_GRAYSCALE ? 1u : 2u) * WIDTH * HEIGHT;
    return is_good ? ESP_OK : -1;
}

camera_fb_t *esp_camera_fb_get(void) {
    if (is_taken || n_frames == 2) {
        return NULL;
    }
    for (uint32_t i = 0; i < only.len; i++) {
        memory[i] = (uint8_t)(7u * i + n_frames);
    }
    n_frames++;
    is_taken = 1;
    return &only;
}

void esp_camera_fb_return(camera_fb_t *fb) { is_taken = fb == &only ? 0 : is_taken; }
