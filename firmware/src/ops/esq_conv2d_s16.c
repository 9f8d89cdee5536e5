/* CONV_2D and FULLY_CONNECTED on int16. Mirror: edgesq/reference/int16.py.
 *
 * Products are summed up in 32 bits as far as that is safe, then in 64.
 */
#include "../esq_arithmetic16.h"

/* Sum of at most ESQ_PRODUCTS_S16 products of what lies one behind the other. */
static inline int32_t few(const int16_t *values, const int8_t *weights, uint32_t count) {
    int32_t sum = 0;
    for (; count >= 4; count -= 4, values += 4, weights += 4) {
        sum += values[0] * weights[0];
        sum += values[1] * weights[1];
        sum += values[2] * weights[2];
        sum += values[3] * weights[3];
    }
    for (; count > 0; count--) {
        sum += *values++ * *weights++;
    }
    return sum;
}

/* Sum of any number of them. */
static int64_t many(const int16_t *values, const int8_t *weights, uint32_t count) {
    int64_t sum = 0;
    for (; count > ESQ_PRODUCTS_S16; count -= ESQ_PRODUCTS_S16) {
        sum += few(values, weights, ESQ_PRODUCTS_S16);
        values += ESQ_PRODUCTS_S16;
        weights += ESQ_PRODUCTS_S16;
    }
    return sum + few(values, weights, count);
}

static int64_t sum_of(const struct esq_conv2d_s16 *conv, const struct esq_slot *input,
                      const int8_t *const *rows, const struct esq_taps *taps, uint32_t channel) {
    const uint32_t depth = esq_values_s16(input);
    const uint32_t kernel_row = conv->window.width * depth;
    const uint32_t step = conv->dilation_w * (uint32_t)input->pixel_bytes;
    const int is_gapless = step == input->channels;
    const uint32_t runs = is_gapless ? taps->count != 0 : taps->count;
    const uint32_t count = is_gapless ? taps->count * depth : depth;
    const int8_t *weights =
        conv->weights + channel * conv->window.height * kernel_row + taps->first * depth;
    const int is_short = conv->window.height * kernel_row <= ESQ_PRODUCTS_S16;
    int64_t sum = conv->bias[channel];
    int32_t part = 0; /* of a whole window that is short */
    for (uint32_t y = 0; y < conv->window.height; y++, weights += kernel_row) {
        if (!rows[y]) {
            continue;
        }
        const int8_t *pixel = rows[y] + taps->offset_bytes;
        const int8_t *weight = weights;
        for (uint32_t run = runs; run > 0; run--) {
            if (is_short) {
                part += few(esq_at_s16(pixel), weight, count);
            } else {
                sum += many(esq_at_s16(pixel), weight, count);
            }
            pixel += step;
            weight += depth;
        }
    }
    return sum + part;
}

/* |sum| times a number of 53 bits as a float64 has it, to the nearest integer, halves up. The
 * product is rounded to 53 bits, halves to even, before: a half of that more lets what it rounds up
 * to a half be one. */
static int32_t product_level(uint64_t sum, const struct esq_product_s16 *by) {
    const uint64_t low = sum * by->low;
    uint64_t high = sum * by->high + (low >> 27);
    uint32_t part = (uint32_t)low & ((1u << 27) - 1u);
    uint32_t above = 0; /* bits of the product above 53, less 27 where it is so long */
    for (uint64_t rest = high >> 26; rest != 0; rest >>= 1) {
        above++;
    }
    if (above > 27) {
        high += 1ull << (above - 28u);
    } else if (above > 0) {
        part += 1u << (above - 1u);
        high += part >> 27;
    }
    const uint64_t level = (high + (1ull << (by->shift - 1u))) >> by->shift;
    return level > INT16_MAX + 1ull ? INT16_MAX + 1 : (int32_t)level;
}

static int32_t level_of(const struct esq_conv2d_s16 *conv, int64_t sum, uint32_t channel) {
    if (conv->shift) {
        return esq_rescale_sum_s16(sum, conv->multiplier[channel], conv->shift[channel]);
    }
    const struct esq_product_s16 *by = &conv->product[channel];
    return sum < 0 ? -product_level((uint64_t)-sum, by) : product_level((uint64_t)sum, by);
}

void esq_run_conv2d_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_conv2d_s16 *conv = op->params;
    const int8_t *rows[ESQ_MAX_WINDOW_ROWS];
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        esq_rows_under(&conv->window, op->input[0], arena, progress->out_row, rows);
        int8_t *result = esq_row(arena, op->output, progress->out_row);
        for (uint32_t x = 0; x < op->output->width; x++) {
            const struct esq_taps taps = esq_taps_s16(conv, op->input[0], x);
            int16_t *values = esq_to_s16(result);
            for (uint32_t channel = 0; channel < esq_values_s16(op->output); channel++) {
                const int64_t sum = sum_of(conv, op->input[0], rows, &taps, channel);
                values[channel] =
                    esq_clamp_s16(level_of(conv, sum, channel), conv->clamp_min, conv->clamp_max);
            }
            result += op->output->pixel_bytes;
        }
    }
}

void esq_run_fully_connected_s16(const struct esq_op *op, int8_t *arena,
                                 struct esq_progress *progress) {
    esq_run_conv2d_s16(op, arena, progress);
}
