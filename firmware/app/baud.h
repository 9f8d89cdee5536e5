/* The rate of the line: switched when the host asks for it, given up when nothing good comes. */
#ifndef ESQ_BAUD_H
#define ESQ_BAUD_H

#include <stdint.h>

/* Zero-initialise. */
struct esq_baud {
    uint32_t rate;  /* 0: ESQ_BAUD_DEFAULT */
    uint32_t heard; /* esq_port_ticks of the last good frame */
    uint8_t is_new; /* 1: no good frame has come at this rate yet */
};

/* Notes a good frame: the line holds. */
void esq_baud_heard(struct esq_baud *baud);

/* Runs the line at `rate`, which the port holds, after all that was written has left. */
void esq_baud_switch(struct esq_baud *baud, uint32_t rate);

/* Goes back to the default rate where no good frame has come for too long; returns whether the line
 * is (still) at another rate, and this must be called again soon. */
int esq_baud_check(struct esq_baud *baud);

#endif
