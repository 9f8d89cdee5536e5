/* Zephyr's video API in the forms that it has had. */
#ifndef VIDEO_H
#define VIDEO_H

#include <zephyr/device.h>
#include <zephyr/drivers/video.h>
#include <zephyr/kernel.h>
#if __has_include(<zephyr/version.h>)
#include <zephyr/version.h>
#else
#include <version.h>
#endif

#define HEAP_OVERHEAD_BYTES 256u

/* NULL where there is no room. */
static inline struct video_buffer *camera_buffer(size_t size) {
#if KERNEL_VERSION_NUMBER < ZEPHYR_VERSION(4, 1, 0)
    /* Waits for ever for what does not fit. */
    const int fits = size + HEAP_OVERHEAD_BYTES <= CONFIG_VIDEO_BUFFER_POOL_SZ_MAX;
    return fits ? video_buffer_alloc(size) : NULL;
#else
    return video_buffer_alloc(size, K_NO_WAIT);
#endif
}

#if KERNEL_VERSION_NUMBER < ZEPHYR_VERSION(4, 2, 0)

static inline int camera_format(const struct device *camera, struct video_format *format) {
    return video_get_format(camera, VIDEO_EP_OUT, format);
}

static inline int camera_give(const struct device *camera, struct video_buffer *buffer) {
    return video_enqueue(camera, VIDEO_EP_OUT, buffer);
}

static inline int camera_take(const struct device *camera, struct video_buffer **buffer) {
    return video_dequeue(camera, VIDEO_EP_OUT, buffer, K_FOREVER);
}

/* Below 0 is an error: 3.3's software generator returns 1. */
static inline int camera_start(const struct device *camera) { return video_stream_start(camera); }

#else

static inline int camera_format(const struct device *camera, struct video_format *format) {
    format->type = VIDEO_BUF_TYPE_OUTPUT;
    return video_get_format(camera, format);
}

static inline int camera_give(const struct device *camera, struct video_buffer *buffer) {
    buffer->type = VIDEO_BUF_TYPE_OUTPUT;
    return video_enqueue(camera, buffer);
}

/* `*buffer` is any buffer before: its type says of which queue. */
static inline int camera_take(const struct device *camera, struct video_buffer **buffer) {
    return video_dequeue(camera, buffer, K_FOREVER);
}

static inline int camera_start(const struct device *camera) {
    return video_stream_start(camera, VIDEO_BUF_TYPE_OUTPUT);
}

#endif

#endif
