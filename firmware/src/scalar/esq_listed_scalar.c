/* Convolutions over values that are not zero. Contract: esq_scalar_listed.h. */
#include "esq_scalar_listed.h"

#define ESQ_LOWEST (-128)

/* A list pays while it has no more values than one in so many taps. Armv7-M multiplies and adds in
 * one instruction, so there words of all taps are faster for longer. */
#if defined(__ARM_ARCH_7M__)
#define ESQ_TAPS_PER_VALUE 4u
#else
#define ESQ_TAPS_PER_VALUE 2u
#endif

#ifndef ESQ_SCALAR_HAS_LISTED
uint32_t *esq_scalar_list(const int8_t *values, uint32_t tap, uint32_t count, uint32_t *to,
                          const uint32_t *limit) {
    for (const uint32_t end = tap + count; tap != end; tap++) {
        const int32_t value = *values++;
        if (value != ESQ_LOWEST) {
            if (to == limit) {
                return 0;
            }
            *to++ = (uint32_t)(value - ESQ_LOWEST) << 16 | tap;
        }
    }
    return to;
}

void esq_scalar_sums_listed(const struct esq_scalar_listed *listed) {
    const uint32_t taps = listed->taps;
    const int8_t *weights = listed->weights;
    const int16_t *weight_sums = listed->weight_sums;
    int32_t *sums = listed->sums;
    for (uint32_t left = listed->channels; left > 0; left -= 4) {
        int32_t a = 0;
        int32_t b = 0;
        int32_t c = 0;
        int32_t d = 0;
        for (const uint32_t *list = listed->list; list != listed->list_end; list++) {
            const int32_t value = (int32_t)(*list >> 16);
            const int8_t *weight = weights + (*list & 0xffffu);
            a += value * weight[0];
            b += value * weight[taps];
            c += value * weight[2 * taps];
            d += value * weight[3 * taps];
        }
        const int32_t four[4] = {a, b, c, d};
        for (uint32_t channel = 0; channel < 4; channel++) {
            *sums = four[channel] - ESQ_LOWEST * weight_sums[channel];
            sums += listed->width;
        }
        weights += 4 * taps;
        weight_sums += 4;
    }
}
#endif

/* Lists the window of the output pixel in `column`; returns as esq_scalar_list(). */
static uint32_t *list_window(const struct esq_scalar_view *view, uint32_t column, uint32_t *to,
                             const uint32_t *limit) {
    const struct esq_window *window = &view->params->window;
    const struct esq_slot *input = view->input;
    const struct esq_taps inside = esq_taps_at(window, input, column);
    const uint32_t depth = input->channels;
    const int is_dense = input->pixel_bytes == depth;
    const uint32_t runs = is_dense ? 1 : inside.count;
    const uint32_t run = is_dense ? inside.count * depth : depth;
    for (uint32_t y = 0; y < window->height; y++) {
        if (!view->rows[y]) {
            continue;
        }
        uint32_t tap = (y * window->width + inside.first) * depth;
        const int8_t *values = view->rows[y] + inside.offset_bytes;
        for (uint32_t k = 0; to && k < runs; k++) {
            to = esq_scalar_list(values, tap, run, to, limit);
            values += input->pixel_bytes;
            tap += run;
        }
    }
    return to;
}

uint32_t esq_scalar_list_windows(struct esq_scalar_view *view, uint32_t column, uint32_t pixels) {
    const struct esq_conv2d_scalar *params = view->params;
    const uint32_t most = view->taps / ESQ_TAPS_PER_VALUE;
    uint32_t *to = view->words;
    const uint32_t *const end = to + esq_scalar_bytes(params->taps, params->pixels) / sizeof *to;
    view->list_ends[0] = to;
    for (uint32_t listed = 0; listed < pixels; listed++) {
        to = list_window(view, column + listed, to, (uint32_t)(end - to) < most ? end : to + most);
        if (!to) {
            return listed;
        }
        view->list_ends[listed + 1u] = to;
    }
    return pixels;
}

/* One channel of one pixel. */
static int32_t sum_of(const struct esq_scalar_listed *listed) {
    int32_t sum = -ESQ_LOWEST * *listed->weight_sums;
    for (const uint32_t *list = listed->list; list != listed->list_end; list++) {
        sum += (int32_t)(*list >> 16) * listed->weights[*list & 0xffffu];
    }
    return sum;
}

void esq_scalar_sum_lists(const struct esq_scalar_view *view, uint32_t pixels, uint32_t first,
                          uint32_t channels) {
    const struct esq_conv2d_scalar *params = view->params;
    const uint32_t taps = view->taps;
    const uint32_t width = esq_scalar_width(pixels);
    for (uint32_t pixel = 0; pixel < pixels; pixel++) {
        struct esq_scalar_listed listed = {
            .list = view->list_ends[pixel],
            .list_end = view->list_ends[pixel + 1u],
            .weights = params->weights + first * taps,
            .taps = taps,
            .weight_sums = params->weight_sums + first,
            .channels = channels & ~3u,
            .sums = view->sums + pixel,
            .width = width,
        };
        if (listed.channels > 0) {
            esq_scalar_sums_listed(&listed);
        }
        for (uint32_t c = listed.channels; c < channels; c++) {
            listed.weights = params->weights + (first + c) * taps;
            listed.weight_sums = params->weight_sums + first + c;
            view->sums[c * width + pixel] = sum_of(&listed);
        }
    }
}
