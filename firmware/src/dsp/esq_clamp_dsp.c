/* Clamps narrower than int8. Contract: esq_clamp_dsp.h. */
#include "esq_clamp_dsp.h"

#include "../esq_arithmetic.h"

#if defined(__ARM_FEATURE_DSP)

#include "esq_lanes.h"

/* Bytes of `bound` where those of `bytes` are at least as much; else theirs. */
static inline uint32_t least(uint32_t bytes, uint32_t bound) {
    uint32_t result;
    __asm("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(result) : "r"(bytes), "r"(bound));
    return result;
}

static inline uint32_t most(uint32_t bytes, uint32_t bound) {
    uint32_t result;
    __asm("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(bytes), "r"(bound));
    return result;
}

void esq_dsp_clamp(int8_t *values, uint32_t count, int32_t low, int32_t high) {
    const uint32_t lows = ((uint32_t)low & 0xffu) * 0x01010101u;
    const uint32_t highs = ((uint32_t)high & 0xffu) * 0x01010101u;
    for (; count >= 4u; count -= 4u) {
        esq_store_word(values, most(least(esq_load_word(values), highs), lows));
        values += 4;
    }
    for (; count > 0; count--) {
        *values = esq_clamp(*values, low, high);
        values++;
    }
}

#endif
