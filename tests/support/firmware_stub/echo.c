/* Sends every good frame on stdin back on stdout, and an empty ACK for every damaged one. */
#include <stdio.h>

#include "esq_port.h"
#include "frame.h"

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    (void)fwrite(bytes, 1, n_bytes, stdout);
}

int main(void) {
    static struct esq_decoder decoder;
    uint8_t damaged[ESQ_FRAME_HEAD_BYTES + ESQ_FRAME_CRC_BYTES];
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        enum esq_frame_event event = esq_decoder_push(&decoder, (uint8_t)byte);
        if (event == ESQ_EVENT_NONE) {
            continue;
        }
        uint8_t *frame = decoder.bytes;
        if (event == ESQ_EVENT_FRAME) {
            uint32_t n = (uint32_t)decoder.n_bytes - ESQ_FRAME_HEAD_BYTES - ESQ_FRAME_CRC_BYTES;
            esq_frame_send(frame, n, (enum esq_frame_type)frame[0], frame[1],
                           esq_get_u16(frame + 2));
        } else {
            esq_frame_send(damaged, 0, ESQ_FRAME_ACK, 0, 0);
        }
        esq_decoder_reset(&decoder);
    }
    return 0;
}
