/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API. */
#ifndef STANDIN_DEVICE_H
#define STANDIN_DEVICE_H

struct device {
    const char *name;
};

extern const struct device standin_zephyr_console;

const struct device *device_get_binding(const char *name);

#define DT_HAS_CHOSEN(property) 0 /* for #if: no camera is chosen */
#define DT_CHOSEN(property) standin_##property
#define DEVICE_DT_GET(node) (&(node))

#endif
