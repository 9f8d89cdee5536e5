/* Parameters of the operators without windows: by value, by two values, by pixel, or moved. */
#ifndef ESQ_VALUES_H
#define ESQ_VALUES_H

#include <stdint.h>

/* A constant operand: a value for each channel, of all pixels or of each column, row or pixel. */
struct esq_constant {
    const int8_t *values;
    uint32_t row_bytes;   /* from one row's to the next one's; 0: all rows have the same */
    uint32_t pixel_bytes; /* likewise from pixel to pixel */
};

/* ADD, and SUB: operand 0 plus `sign` times operand 1. */
struct esq_add {
    const struct esq_constant *constant[2]; /* 0: the operand is the next of op->input */
    int32_t multiplier[2];
    int32_t output_multiplier;
    int16_t input_zp[2];
    int16_t output_zp;
    int8_t shift[2];
    int8_t output_shift;
    int8_t sign; /* 1 or -1 */
    int8_t clamp_min;
    int8_t clamp_max;
};

/* ADD and SUB without roundings: (value 0 * slope 0 + value 1 * slope 1 + offset + a correction by
 * one of the values) >> ESQ_PAIR_BITS. */
#define ESQ_PAIR_BITS 20

struct esq_weighted_sum {
    const struct esq_constant *constant[2]; /* as of struct esq_add */
    const int8_t *corrections;              /* [-128 to 127], by the corrected value */
    int32_t slope[2];
    int32_t offset;
    uint8_t corrected; /* 0 or 1: which value that is */
    int8_t clamp_min;
    int8_t clamp_max;
};

struct esq_mul {
    const struct esq_constant *constant[2]; /* as of struct esq_add */
    int32_t multiplier;
    int16_t input_zp[2];
    int16_t output_zp;
    int8_t shift;
    int8_t clamp_min;
    int8_t clamp_max;
};

/* MAXIMUM and MINIMUM, of levels. */
struct esq_extreme {
    const struct esq_constant *constant[2]; /* as of struct esq_add */
    int8_t clamp_min;
    int8_t clamp_max;
};

/* PRELU: operand 0, times operand 1 where it is negative. */
struct esq_prelu {
    const struct esq_constant *constant[2]; /* as of struct esq_add */
    int32_t multiplier[2];                  /* of what is not negative, and of products */
    int16_t input_zp[2];
    int16_t output_zp;
    int8_t shift[2];
    int8_t clamp_min;
    int8_t clamp_max;
};

/* Bits behind the point of struct esq_affine. */
#define ESQ_AFFINE_BITS 16

/* ADD, SUB or MUL with a constant per channel: (value * slope + offset) >> ESQ_AFFINE_BITS,
 * clamped. On the DSP extension slopes are shifted 11 bits left, offsets, multiples of 32, 5 bits
 * right. */
struct esq_affine {
    const int32_t *table; /* [C / 4 rounded up]: slopes of four channels, then their offsets */
    int8_t clamp_min;
    int8_t clamp_max;
};

/* What every value becomes by itself. */
struct esq_lookup {
    const int8_t *table; /* [256], by the value as uint8: 0, ..., 127, -128, ..., -1 */
};

struct esq_softmax {
    const int32_t *exp; /* [count] Q0.31: exp(-beta * scale * d), d = maximum - q; 0 behind */
    uint16_t count;
};

/* Of struct esq_pick: no row or column of the input. */
#define ESQ_OUTSIDE 65535u

/* Every output pixel is a part of an input pixel, with `fill` around it, or all `fill`. */
struct esq_pick {
    const uint16_t *rows;     /* [output height] of the input, or ESQ_OUTSIDE */
    const uint16_t *columns;  /* [output width] likewise */
    const uint16_t *channels; /* [count] of the input; 0: evenly apart, from `first` by `step` */
    uint16_t before;          /* channels of `fill` in front */
    uint16_t count;           /* then so many of the input's */
    uint16_t first;           /* from this one on */
    uint16_t step;            /* from one to the next */
    int8_t fill;
};

/* The input's axes, 0: rows, 1: columns, 2: channels, in the output's order. */
struct esq_transpose {
    uint8_t order[3];
};

/* A place `weight` / 1024 of the way from row or column `first` to the next one. */
struct esq_between {
    uint16_t first;
    uint16_t weight; /* below 1024; 0: there need be no next one */
};

/* Every output value lies between four of the input's. */
struct esq_resize {
    const struct esq_between *rows;    /* [output height] */
    const struct esq_between *columns; /* [output width] */
};

#endif
