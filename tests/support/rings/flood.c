/* Says how many bytes a port says it holds, and how many it did hold while nobody read. */
#include "flood.h"

#include <stdio.h>

#include "esq_port.h"

#define N_SENT 5000u

int main(void) {
    esq_port_init();
    for (uint32_t i = 0; i < N_SENT; i++) {
        flood_receive((uint8_t)i);
    }
    uint32_t held = 0;
    for (int byte = esq_port_read(); byte == (uint8_t)held; byte = esq_port_read()) {
        held++;
    }
    printf("%u %u\n", (unsigned)esq_port_rx_bytes(), (unsigned)held);
    return 0;
}
