/* Clamps narrower than int8, four values at a time, behind kernels that saturate to int8. */
#ifndef ESQ_CLAMP_DSP_H
#define ESQ_CLAMP_DSP_H

#include <stdint.h>

/* Clamps `count` values in place, about two instructions per value. */
void esq_dsp_clamp(int8_t *values, uint32_t count, int32_t low, int32_t high);

#endif
