/* What the firmware needs of <string.h>, for a compiler that brings no C library. The functions are
 * in the compiler's own runtime library: C compilers call them for copies of their own too. */
#ifndef ESQ_FREESTANDING_STRING_H
#define ESQ_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n_bytes);
void *memset(void *to, int byte, size_t n_bytes);

#endif
