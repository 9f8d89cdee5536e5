/* Classifies what a camera sees: rows go from its driver's buffer into the network. */
#include <zephyr/sys/printk.h>

#include "answer.h"
#include "see.h"
#include "video.h"

#if DT_HAS_CHOSEN(zephyr_camera)
static const struct device *find_camera(void) {
    const struct device *const camera = DEVICE_DT_GET(DT_CHOSEN(zephyr_camera));
    return device_is_ready(camera) ? camera : NULL;
}
#elif defined(CONFIG_VIDEO_SW_GENERATOR)
static const struct device *find_camera(void) { return device_get_binding("VIDEO_SW_GENERATOR"); }
#else
#error "no camera: choose one as zephyr,camera in the devicetree, or add pretended.conf"
#endif

/* Returns 0 where the camera's format is one that esq_camera_row takes. */
static int describe(const struct video_format *format, struct esq_camera_frame *frame) {
    frame->width = format->width;
    frame->height = format->height;
    frame->pitch_bytes = format->pitch;
    switch (format->pixelformat) {
    case VIDEO_PIX_FMT_RGB565: frame->pixels = ESQ_CAMERA_RGB565; return 0;
#ifdef VIDEO_PIX_FMT_RGB565X
    case VIDEO_PIX_FMT_RGB565X: frame->pixels = ESQ_CAMERA_RGB565_BIG; return 0;
#endif
#ifdef VIDEO_PIX_FMT_GREY
    case VIDEO_PIX_FMT_GREY: frame->pixels = ESQ_CAMERA_GREY; return 0;
#endif
    default: return -1;
    }
}

/* Hands the driver its buffers; returns one of them, NULL where there is no room. */
static struct video_buffer *give_all(const struct device *camera, size_t frame_bytes) {
    struct video_buffer *buffer = NULL;
    for (int i = 0; i < CONFIG_VIDEO_BUFFER_POOL_NUM_MAX; i++) {
        buffer = camera_buffer(frame_bytes);
        if (buffer == NULL || camera_give(camera, buffer) != 0) {
            return NULL;
        }
    }
    return buffer;
}

static int fail(const char *what) {
    printk("failed: %s\n", what);
    return 1;
}

int main(void) {
    struct video_format format;
    struct esq_camera_frame frame;
    const struct device *const camera = find_camera();
    if (camera == NULL || camera_format(camera, &format) != 0) {
        return fail("no camera");
    }
    if (describe(&format, &frame) != 0) {
        return fail("the camera gives neither RGB565 nor grey: set its format, or unpack that one");
    }
    struct video_buffer *buffer = give_all(camera, (size_t)format.pitch * format.height);
    if (buffer == NULL) {
        return fail("no buffer: CONFIG_VIDEO_BUFFER_POOL_SZ_MAX holds no frame");
    }
    if (camera_start(camera) < 0) {
        return fail("the camera does not start");
    }
    for (;;) {
        if (camera_take(camera, &buffer) != 0) {
            return fail("no frame");
        }
        frame.bytes = buffer->buffer;
        const enum esq_status status = esq_see(&frame);
        if (camera_give(camera, buffer) != 0 || status != ESQ_DONE) {
            return fail("the network");
        }
        printk(ESQ_ANSWER_IS " %d\n", (int)esq_answer());
    }
}
