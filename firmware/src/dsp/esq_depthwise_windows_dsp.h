/* Depthwise convolution with windows of any shape on cores with the DSP extension.
 *
 * Input columns stand one after the other, a channel at a time, each as pairs of its rows in 16-bit
 * lanes: so all that lies under a window is one run of words, and its sum a product of two vectors.
 * The input's zero point is folded into the bias, so that padding is the zero point.
 * Mirror: edgesq/kernels/dsp/depthwise_windows.py.
 */
#ifndef ESQ_DEPTHWISE_WINDOWS_DSP_H
#define ESQ_DEPTHWISE_WINDOWS_DSP_H

#include <stdint.h>

/* Outputs whose sums are computed together, and words of a window that are taken at a time. */
#define ESQ_DSP_WINDOWS 3u
#define ESQ_DSP_WINDOW_STEP 3u

/* Sums of one channel under 3 * triples windows. The kernel moves lanes, sums and triples on.
 *
 * weights     uint32 [3 * steps]: 16-bit lanes.
 * step_bytes  from one window to the next, in lanes.
 * lanes       under the first window; as many words are read under each as there are weights.
 */
struct esq_dsp_window_job {
    const uint32_t *weights;
    uint32_t step_bytes;
    uint32_t steps;
    const uint32_t *lanes;
    int32_t bias;
    int32_t *sums;
    uint32_t triples; /* at least one */
};

void esq_dsp_window_sums(struct esq_dsp_window_job *job);

#endif
