/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API. */
#ifndef STANDIN_DEVICE_H
#define STANDIN_DEVICE_H

struct device {
    const char *name;
};

extern const struct device standin_zephyr_console;

#define DT_CHOSEN(property) standin_##property
#define DEVICE_DT_GET(node) (&(node))

#endif
