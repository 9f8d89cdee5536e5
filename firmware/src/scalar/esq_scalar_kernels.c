/* Words and sums of the scalar kernels in C, for cores that have no assembler body of their own.
 *
 * Two channels at a time share the loads of the windows where registers allow (RISC-V, Xtensa).
 */
#include "esq_scalar.h"

#define ESQ_HALF 0x8000u /* keeps the lower half of a group's products from borrowing */

#ifndef ESQ_SCALAR_HAS_WORDS
void esq_scalar_words(const int8_t *lower, const int8_t *upper, uint32_t count, uint32_t *to,
                      uint32_t step) {
    const int8_t *const end = lower + count;
    while (lower != end) {
        *to = ((uint32_t)*upper++ << 16) + (uint32_t)*lower++;
        to += step;
    }
}
#endif

/* Sums of a pair of pixels as they are added up: of t modulo 2^32, and of t's upper halves. */
struct pair {
    uint32_t all;
    int32_t upper;
};

/* A weight as a factor modulo 2^32. */
static inline uint32_t factor(int8_t weight) { return (uint32_t)(int32_t)weight; }

static inline void take(struct pair *pair, uint32_t products) {
    const uint32_t t = products + ESQ_HALF;
    pair->all += t;
    pair->upper += (int32_t)t >> 16;
}

/* Writes the sums of both pixels, or adds them, less what `groups` groups added. */
static inline void store(const struct pair *pair, uint32_t taps, uint32_t adds, int32_t *sums) {
    const uint32_t lower = pair->all - ((uint32_t)pair->upper << 16) - taps / 2u * ESQ_HALF;
    const uint32_t before[2] = {adds ? (uint32_t)sums[0] : 0, adds ? (uint32_t)sums[1] : 0};
    sums[0] = (int32_t)(before[0] + lower);
    sums[1] = (int32_t)(before[1] + (uint32_t)pair->upper);
}

#ifndef ESQ_SCALAR_HAS_SUMS
void esq_scalar_sums_2(const struct esq_scalar_job *job) {
    const int8_t *weights = job->weights;
    int32_t *sums = job->sums;
    for (uint32_t left = job->channels; left > 0; left--) {
        const uint32_t *words = job->windows;
        struct pair pair = {0, 0};
        for (const int8_t *const end = weights + job->taps; weights != end; weights += 2) {
            take(&pair, words[0] * factor(weights[0]) + words[1] * factor(weights[1]));
            words += 2;
        }
        store(&pair, job->taps, job->adds, sums);
        sums += 2;
        weights += job->gap_bytes;
    }
}

void esq_scalar_sums_4(const struct esq_scalar_job *job) {
    const int8_t *weights = job->weights;
    int32_t *sums = job->sums;
    for (uint32_t left = job->channels; left > 0; left--) {
        const uint32_t *words = job->windows;
        struct pair first = {0, 0};
        struct pair second = {0, 0};
        for (const int8_t *const end = weights + job->taps; weights != end; weights += 2) {
            const uint32_t a = factor(weights[0]);
            const uint32_t b = factor(weights[1]);
            take(&first, words[0] * a + words[2] * b);
            take(&second, words[1] * a + words[3] * b);
            words += 4;
        }
        store(&first, job->taps, job->adds, sums);
        store(&second, job->taps, job->adds, sums + 2);
        sums += 4;
        weights += job->gap_bytes;
    }
}
#endif

#ifndef ESQ_SCALAR_HAS_LONE_SUMS
void esq_scalar_sums_1(const struct esq_scalar_job *job) { esq_scalar_sums_2(job); }

void esq_scalar_sums_3(const struct esq_scalar_job *job) { esq_scalar_sums_4(job); }
#endif
