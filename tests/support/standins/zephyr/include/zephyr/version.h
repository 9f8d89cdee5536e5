/* Stands in for what Zephyr's build makes: the compiler gets -DKERNEL_VERSION_NUMBER. */
#ifndef STANDIN_VERSION_H
#define STANDIN_VERSION_H

#define ZEPHYR_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))

#endif
