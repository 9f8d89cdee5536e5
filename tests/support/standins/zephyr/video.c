/* A camera of 40 x 24 RGB565 pixels, rows 84 bytes apart: byte i of its frame n is 7 i + n. */
#include <zephyr/drivers/video.h>
#include <zephyr/sys/printk.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 40u
#define HEIGHT 24u
#define PITCH 84u

#if HAS_TYPES
#define ARGUMENTS(...) const struct device *dev, __VA_ARGS__
#define IS_OUTPUT(type) ((type) == VIDEO_BUF_TYPE_OUTPUT)
#else
#define ARGUMENTS(...) const struct device *dev, enum video_endpoint_id ep, __VA_ARGS__
#define IS_OUTPUT(type) (ep == VIDEO_EP_OUT)
#endif

static const struct device camera = {"VIDEO_SW_GENERATOR"};
static uint8_t memory[PITCH * HEIGHT];
static struct video_buffer only = {.buffer = memory, .size = sizeof memory};
static int is_given, is_started;
static uint8_t n_frames;

const struct device *device_get_binding(const char *name) {
    return strcmp(name, camera.name) == 0 ? &camera : NULL;
}

static struct video_buffer *alloc(size_t size) { return size <= sizeof memory ? &only : NULL; }

#if HAS_TIMEOUT
struct video_buffer *video_buffer_alloc(size_t size, k_timeout_t timeout) {
    (void)timeout;
    return alloc(size);
}
#else
struct video_buffer *video_buffer_alloc(size_t size) { return alloc(size); }
#endif

int video_get_format(ARGUMENTS(struct video_format *fmt)) {
    if (dev != &camera || !IS_OUTPUT(fmt->type)) {
        return -1;
    }
    fmt->pixelformat = VIDEO_PIX_FMT_RGB565;
    fmt->width = WIDTH;
    fmt->height = HEIGHT;
    fmt->pitch = PITCH;
    return 0;
}

int video_enqueue(ARGUMENTS(struct video_buffer *buf)) {
    if (dev != &camera || !IS_OUTPUT(buf->type) || buf != &only || is_given) {
        return -1;
    }
    is_given = 1;
    return 0;
}

/* The second frame is the last: then the program ends. */
int video_dequeue(ARGUMENTS(struct video_buffer **buf), k_timeout_t timeout) {
    (void)timeout;
    if (dev != &camera || !is_given || !is_started || !IS_OUTPUT((*buf)->type)) {
        return -1;
    }
    if (n_frames == 2) {
        exit(0);
    }
    for (uint32_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(7u * i + n_frames);
    }
    n_frames++;
    is_given = 0;
    *buf = &only;
    return 0;
}

#if HAS_TYPES
int video_stream_start(const struct device *dev, enum video_buf_type type) {
    is_started = dev == &camera && type == VIDEO_BUF_TYPE_OUTPUT;
    return is_started ? 0 : -1;
}
#else
int video_stream_start(const struct device *dev) {
    is_started = dev == &camera;
    return is_started ? 1 : -1; /* as 3.3's software generator */
}
#endif

void printk(const char *fmt, ...) {
    va_list arguments;
    va_start(arguments, fmt);
    (void)vprintf(fmt, arguments);
    va_end(arguments);
}
