/* Words and sums of the scalar kernels in C, for cores that have no assembler body of their own. */
#include "esq_scalar.h"

/* Summed together: two take 16 registers for sums alone, which Xtensa has in all. */
#if defined(__XTENSA__)
#define ESQ_CHANNELS 1u
#else
#define ESQ_CHANNELS 2u
#endif

/* Loads behind it stay there, or their values would drive sums out of the registers. */
#define ESQ_IN_ORDER() __asm__ volatile("" ::: "memory")

#define ESQ_HALF 0x8000u /* keeps the lower half of a group's products from borrowing */

#ifndef ESQ_SCALAR_HAS_WORDS
static inline uint32_t both(int8_t lower, int8_t upper) {
    return ((uint32_t)upper << 16) + (uint32_t)lower;
}

/* `step` is a constant where this is inlined. */
static inline void set_out(const int8_t *lower, const int8_t *upper, uint32_t count, uint32_t *to,
                           uint32_t step) {
    for (; count >= 4; count -= 4) {
        to[0] = both(lower[0], upper[0]);
        to[step] = both(lower[1], upper[1]);
        to[2 * step] = both(lower[2], upper[2]);
        to[3 * step] = both(lower[3], upper[3]);
        lower += 4;
        upper += 4;
        to += 4 * step;
    }
    for (; count > 0; count--) {
        *to = both(*lower++, *upper++);
        to += step;
    }
}

void esq_scalar_words(const int8_t *lower, const int8_t *upper, uint32_t count, uint32_t *to,
                      uint32_t step) {
    if (step == 1) {
        set_out(lower, upper, count, to, 1);
    } else {
        set_out(lower, upper, count, to, 2);
    }
}
#endif

#ifndef ESQ_SCALAR_HAS_SUMS
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

/* How sums are stored: a copy of what the job says, which no sum can alias. */
struct ends {
    uint32_t halves; /* what all groups added */
    uint32_t adds;
};

static inline struct ends ends_of(const struct esq_scalar_job *job) {
    return (struct ends){job->taps / 2u * ESQ_HALF, job->adds};
}

/* Writes the sums of both pixels, or adds them. */
static inline void store(const struct pair *pair, struct ends ends, int32_t *sums) {
    uint32_t lower = pair->all - ((uint32_t)pair->upper << 16) - ends.halves;
    uint32_t upper = (uint32_t)pair->upper;
    if (ends.adds) {
        lower += (uint32_t)sums[0];
        upper += (uint32_t)sums[1];
    }
    sums[0] = (int32_t)lower;
    sums[1] = (int32_t)upper;
}
#endif

#ifndef ESQ_SCALAR_HAS_SUMS_1
static inline int32_t plus(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* Four channels share the loads of the values. */
static void sum_four_lone(const struct esq_scalar_job *job, const int8_t *weights, int32_t *sums) {
    const int8_t *values = job->windows;
    const uint32_t step = job->taps + job->gap_bytes;
    const int8_t *const w[4] = {weights, weights + step, weights + 2u * step, weights + 3u * step};
    int32_t a = 0;
    int32_t b = 0;
    int32_t c = 0;
    int32_t d = 0;
    for (uint32_t tap = 0; tap < job->taps; tap++) {
        const int32_t value = values[tap];
        a += value * w[0][tap];
        b += value * w[1][tap];
        c += value * w[2][tap];
        d += value * w[3][tap];
    }
    const uint32_t adds = job->adds;
    sums[0] = plus(a, adds ? sums[0] : 0);
    sums[1] = plus(b, adds ? sums[1] : 0);
    sums[2] = plus(c, adds ? sums[2] : 0);
    sums[3] = plus(d, adds ? sums[3] : 0);
}

void esq_scalar_sums_1(const struct esq_scalar_job *job) {
    const int8_t *values = job->windows;
    const int8_t *weights = job->weights;
    int32_t *sums = job->sums;
    uint32_t left = job->channels;
    for (; left >= 4; left -= 4) {
        sum_four_lone(job, weights, sums);
        weights += 4u * (job->taps + job->gap_bytes);
        sums += 4;
    }
    for (; left > 0; left--) {
        int32_t sum = 0;
        for (uint32_t tap = 0; tap < job->taps; tap++) {
            sum += values[tap] * weights[tap];
        }
        *sums = plus(sum, job->adds ? *sums : 0);
        sums++;
        weights += job->taps + job->gap_bytes;
    }
}
#endif

#ifndef ESQ_SCALAR_HAS_SUMS
void esq_scalar_sums_2(const struct esq_scalar_job *job) {
    const int8_t *weights = job->weights;
    int32_t *sums = job->sums;
    const struct ends ends = ends_of(job);
    for (uint32_t left = job->channels; left > 0; left--) {
        const uint32_t *words = job->windows;
        struct pair pair = {0, 0};
        for (const int8_t *const end = weights + job->taps; weights != end; weights += 2) {
            take(&pair, words[0] * factor(weights[0]) + words[1] * factor(weights[1]));
            words += 2;
        }
        store(&pair, ends, sums);
        sums += 2;
        weights += job->gap_bytes;
    }
}

/* Adds four pixels' products of two taps to the sums of a channel. */
static inline void take_four(struct pair pairs[2], const uint32_t *words, const int8_t *weights) {
    const uint32_t a = factor(weights[0]);
    const uint32_t b = factor(weights[1]);
    take(&pairs[0], words[0] * a + words[2] * b);
    take(&pairs[1], words[1] * a + words[3] * b);
}

static inline void store_four(const struct pair pairs[2], struct ends ends, int32_t *sums) {
    store(&pairs[0], ends, sums);
    store(&pairs[1], ends, sums + 2);
}

static void sum_channel(const struct esq_scalar_job *job, const int8_t *weights, int32_t *sums) {
    const uint32_t *words = job->windows;
    struct pair pairs[2] = {{0, 0}, {0, 0}};
    for (const int8_t *const end = weights + job->taps; weights != end; weights += 4) {
        take_four(pairs, words, weights);
        take_four(pairs, words + 4, weights + 2);
        words += 8;
    }
    store_four(pairs, ends_of(job), sums);
}

/* The same to the sums of two channels. */
static inline void take_both(struct pair one[2], struct pair two[2], const uint32_t *words,
                             const int8_t *weights, const int8_t *second) {
    const uint32_t under[4] = {words[0], words[1], words[2], words[3]};
    take_four(one, under, weights);
    ESQ_IN_ORDER();
    take_four(two, under, second);
    ESQ_IN_ORDER();
}

/* Two channels share the loads of the words: 2 x 4 sums in halves, which registers must hold. */
static void sum_channels(const struct esq_scalar_job *job, const int8_t *weights, int32_t *sums) {
    const uint32_t *words = job->windows;
    const int8_t *second = weights + job->taps + job->gap_bytes;
    struct pair one[2] = {{0, 0}, {0, 0}};
    struct pair two[2] = {{0, 0}, {0, 0}};
    for (const int8_t *const end = weights + job->taps; weights != end; weights += 4) {
        take_both(one, two, words, weights, second);
        take_both(one, two, words + 4, weights + 2, second + 2);
        words += 8;
        second += 4;
    }
    const struct ends ends = ends_of(job);
    store_four(one, ends, sums);
    store_four(two, ends, sums + 4);
}

void esq_scalar_sums_4(const struct esq_scalar_job *job) {
    const int8_t *weights = job->weights;
    int32_t *sums = job->sums;
    const uint32_t step = job->taps + job->gap_bytes;
    uint32_t left = job->channels;
    for (; left >= ESQ_CHANNELS; left -= ESQ_CHANNELS) {
        if (ESQ_CHANNELS == 2u) {
            sum_channels(job, weights, sums);
        } else {
            sum_channel(job, weights, sums);
        }
        weights += ESQ_CHANNELS * step;
        sums += 4u * ESQ_CHANNELS;
    }
    if (left > 0) {
        sum_channel(job, weights, sums);
    }
}
#endif

#ifndef ESQ_SCALAR_HAS_SUMS_3
#ifdef ESQ_SCALAR_HAS_SUMS
void esq_scalar_sums_3(const struct esq_scalar_job *job) { esq_scalar_sums_4(job); }
#else
/* A pair of pixels, and 65537 times the sum of a third, which its words have twice. */
struct three {
    struct pair pair;
    uint32_t third;
};

static inline void take_three(struct three *sums, const uint32_t *words, const int8_t *weights) {
    const uint32_t a = factor(weights[0]);
    const uint32_t b = factor(weights[1]);
    take(&sums->pair, words[0] * a + words[2] * b);
    sums->third += words[1] * a + words[3] * b;
}

static inline void store_three(const struct three *three, struct ends ends, int32_t *sums) {
    const uint32_t third = three->third - (three->third << 16); /* 65537 * -65535 is 1 */
    store(&three->pair, ends, sums);
    sums[2] = (int32_t)(third + (ends.adds ? (uint32_t)sums[2] : 0));
}

static void sum_three(const struct esq_scalar_job *job, const int8_t *weights, const int8_t *second,
                      int32_t *sums) {
    const uint32_t *words = job->windows;
    struct three one = {{0, 0}, 0};
    struct three two = {{0, 0}, 0};
    for (const int8_t *const end = weights + job->taps; weights != end; weights += 2) {
        const uint32_t under[4] = {words[0], words[1], words[2], words[3]};
        take_three(&one, under, weights);
        take_three(&two, under, second);
        words += 4;
        second += 2;
    }
    const struct ends ends = ends_of(job);
    store_three(&one, ends, sums);
    store_three(&two, ends, sums + 4);
}

/* Two channels at a time; the last of an odd number goes with four pixels' sums. */
void esq_scalar_sums_3(const struct esq_scalar_job *job) {
    const uint32_t step = job->taps + job->gap_bytes;
    struct esq_scalar_job last = *job;
    for (; last.channels >= 2; last.channels -= 2) {
        sum_three(job, last.weights, last.weights + step, last.sums);
        last.weights += 2u * step;
        last.sums += 8;
    }
    if (last.channels > 0) {
        esq_scalar_sums_4(&last);
    }
}
#endif
#endif
