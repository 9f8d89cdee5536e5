/* One image through the model, row by row from a source of your own. */
#ifndef ESQ_CLASSIFY_H
#define ESQ_CLASSIFY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the next image row to `pixels`, uint8 [width, channels]; not 0 where there is none. */
typedef int next_row_fn(void *source, uint8_t *pixels);

/* Runs the model over one image: the index of its largest output, the first of several; -1 where
 * the source ended before the image did. Not reentrant: the model's memory is one. */
int32_t classify(next_row_fn *next_row, void *source);

#ifdef __cplusplus
}
#endif

#endif
