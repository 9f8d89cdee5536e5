/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API, in the forms
 * that it has had: 4.1 added a timeout, 4.2 put a type in the place of endpoints. */
#ifndef STANDIN_VIDEO_H
#define STANDIN_VIDEO_H

#include <zephyr/device.h>
#include <zephyr/kernel.h>
#include <zephyr/version.h>

#define VIDEO_PIX_FMT_RGB565 0x50424752u /* RGBP */
#define HAS_TIMEOUT (KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 1, 0))
#define HAS_TYPES (KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 2, 0))

enum video_buf_type { VIDEO_BUF_TYPE_INPUT, VIDEO_BUF_TYPE_OUTPUT };
enum video_endpoint_id { VIDEO_EP_NONE = -1, VIDEO_EP_IN = -3, VIDEO_EP_OUT = -4 };

struct video_format {
    enum video_buf_type type;
    uint32_t pixelformat;
    uint32_t width;
    uint32_t height;
    uint32_t pitch;
};

struct video_buffer {
    enum video_buf_type type;
    uint8_t *buffer;
    uint32_t size;
    uint32_t bytesused;
};

#if HAS_TIMEOUT
struct video_buffer *video_buffer_alloc(size_t size, k_timeout_t timeout);
#else
struct video_buffer *video_buffer_alloc(size_t size);
#endif

#if HAS_TYPES
int video_get_format(const struct device *dev, struct video_format *fmt);
int video_enqueue(const struct device *dev, struct video_buffer *buf);
int video_dequeue(const struct device *dev, struct video_buffer **buf, k_timeout_t timeout);
int video_stream_start(const struct device *dev, enum video_buf_type type);
#else
int video_get_format(const struct device *dev, enum video_endpoint_id ep, struct video_format *fmt);
int video_enqueue(const struct device *dev, enum video_endpoint_id ep, struct video_buffer *buf);
int video_dequeue(const struct device *dev, enum video_endpoint_id ep, struct video_buffer **buf,
                  k_timeout_t timeout);
int video_stream_start(const struct device *dev);
#endif

#endif
