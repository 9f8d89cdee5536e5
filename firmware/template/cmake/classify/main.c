/* Answers every raw image on the serial line, uint8 [height, width, channels], with a line that
 * names its class. Put your camera in the place of `read_row`. Build it with `cmake --build build
 * --target classify`; the firmware beside it is what `edgesq verify` talks to. */
#include "classify.h"
#include "esq_port.h"
#include "sample_model.h"

#define DIGITS_MAX 10u

static int read_row(void *source, uint8_t *pixels) {
    uint32_t n_taken = 0;
    (void)source;
    while (n_taken < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS) {
        const int byte = esq_port_read();
        if (byte < 0) {
            esq_port_idle();
        } else {
            pixels[n_taken++] = (uint8_t)byte;
        }
    }
    return 0;
}

static void write_line(uint32_t value) {
    uint8_t text[DIGITS_MAX + 1u];
    uint32_t at = DIGITS_MAX;
    text[at] = '\n';
    do {
        text[--at] = (uint8_t)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    esq_port_write(text + at, DIGITS_MAX + 1u - at);
}

int main(void) {
    esq_port_init();
    for (;;) {
        write_line((uint32_t)classify(read_row, 0));
    }
}
