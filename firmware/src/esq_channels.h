/* Bias and multiplier of a channel from a few bits. Mirror: edgesq/kernels/channels.py. */
#ifndef ESQ_CHANNELS_H
#define ESQ_CHANNELS_H

#include <string.h>

#include "esq_ops.h"

struct esq_channel {
    int32_t bias;
    int32_t multiplier;
    int32_t shift; /* right */
};

/* Multiplier and right shift of a channel, of which the field's lowest bits say the step. */
static inline void esq_enter_step(const struct esq_channels *channels, uint32_t channel,
                                  uint32_t field, struct esq_channel *into) {
    if (channels->shift_bits == 0) {
        const int32_t *step = channels->steps + 2u * (field & ((1u << channels->step_bits) - 1u));
        into->multiplier = step[0];
        into->shift = step[1];
    } else {
        const uint32_t word = channels->words[channel];
        const uint32_t shift = word & ((1u << channels->shift_bits) - 1u);
        into->multiplier = (int32_t)((word - shift) >> 2 | 1u << 30);
        into->shift = (int32_t)(channels->first_shift + shift);
    }
}

/* A word that begins in the byte of a field's first bit holds all of it: 7 + 25 bits. */
static inline struct esq_channel esq_channel_at(const struct esq_channels *channels,
                                                uint32_t channel) {
    const uint32_t place = channel * channels->bits;
    uint32_t field;
    memcpy(&field, channels->fields + (place >> 3), sizeof field);
    field >>= place & 7u;
    struct esq_channel found;
    esq_enter_step(channels, channel, field, &found);
    const int32_t above = (int32_t)(field << (32u - channels->bits));
    const int32_t coarse = above >> (32u - channels->bits + channels->step_bits);
    const int32_t unit_bits = found.shift - channels->fraction_bits;
    found.bias = (int32_t)((uint32_t)coarse << (unit_bits > 0 ? unit_bits : 0));
    return found;
}

#endif
