#include "baud.h"

#include "esq_port.h"

#define ESQ_PATIENCE_S 2u /* at a rate that has worked; half of it at one that has not */

void esq_baud_heard(struct esq_baud *baud) {
    baud->heard = esq_port_ticks();
    baud->is_new = 0;
}

void esq_baud_switch(struct esq_baud *baud, uint32_t rate) {
    uint32_t wanted = rate == ESQ_BAUD_DEFAULT ? 0u : rate;
    if (wanted == baud->rate) {
        return;
    }
    esq_port_set_baud(rate);
    baud->rate = wanted;
    baud->heard = esq_port_ticks();
    baud->is_new = 1;
}

int esq_baud_check(struct esq_baud *baud) {
    uint32_t patience = esq_port_tick_hz() * ESQ_PATIENCE_S / (baud->is_new ? 2u : 1u);
    if (baud->rate != 0 && esq_port_ticks() - baud->heard > patience) {
        esq_baud_switch(baud, ESQ_BAUD_DEFAULT);
    }
    return baud->rate != 0;
}
