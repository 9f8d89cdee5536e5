/* What the board says of itself. */
#ifndef ESQ_INFO_H
#define ESQ_INFO_H

#include "edgesq.h"

/* How the firmware was compiled, as its compiler says. */
enum esq_optimisation {
    ESQ_NOT_OPTIMISED = 0,
    ESQ_OPTIMISED_SIZE = 1,
    ESQ_OPTIMISED_SPEED = 2,
};

/* Which kind of core it is, and so which register says more: CPUID, misa. */
enum esq_core {
    ESQ_CORE_CORTEX_M = 0, /* or another one, whose CPUID is 0 */
    ESQ_CORE_RISCV = 1,
};

/* Mirror: MAX_INPUTS in edgesq/limits.py. */
#define ESQ_MAX_INPUTS 8u

/* What the board says of itself in INFO. */
struct esq_identity {
    uint8_t model_sha256[32];
    uint16_t height, width, channels; /* of the input image */
    const uint16_t (*inputs)[3];      /* height, width, channels, as their rows are taken */
    uint32_t n_rows;                  /* of all inputs */
    uint8_t n_inputs;                 /* at most ESQ_MAX_INPUTS */
    uint32_t clock_hz;                /* 0 where the build does not say */
    uint16_t op_count;
    uint8_t optimisation; /* enum esq_optimisation */
    const char *kernels;  /* at most 32 characters are sent */
    const char *board;    /* at most 32 characters are sent; none where the build does not say */
    const char *build;    /* compiler and flags; at most 96 characters are sent */
};

/* Writes the payload of INFO; returns its bytes. `damaged_op` is ESQ_NO_OP where none is. */
uint32_t esq_info_pack(const struct esq_identity *identity, const struct esq_engine *engine,
                       uint16_t damaged_op, uint8_t *payload);

#endif
