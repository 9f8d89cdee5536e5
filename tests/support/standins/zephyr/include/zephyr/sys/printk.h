/* Stands in for Zephyr's: only what the examples name, with the types of Zephyr's API. */
#ifndef STANDIN_PRINTK_H
#define STANDIN_PRINTK_H

__attribute__((format(printf, 1, 2))) void printk(const char *fmt, ...);

#endif
