/* Answers every raw image on the serial line, uint8 [height, width, channels], with a line that
 * names its class. Put your camera in the place of `read_row`. Build it with `cmake --build build
 * --target classify`; the firmware beside it is what `edgesq verify` talks to. */
#include "answer.h"
#include "esq_port.h"
#include "sample_model.h"

#define ESQ_CHARS_MAX 12u

static void read_row(uint8_t *pixels) {
    uint32_t n_taken = 0;
    while (n_taken < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS) {
        const int byte = esq_port_read();
        if (byte < 0) {
            esq_port_idle();
        } else {
            pixels[n_taken++] = (uint8_t)byte;
        }
    }
}

static void write_line(int32_t value) {
    uint8_t text[ESQ_CHARS_MAX];
    uint32_t at = ESQ_CHARS_MAX;
    uint32_t left = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    text[--at] = '\n';
    do {
        text[--at] = (uint8_t)('0' + left % 10u);
        left /= 10u;
    } while (left != 0);
    if (value < 0) {
        text[--at] = '-';
    }
    esq_port_write(text + at, ESQ_CHARS_MAX - at);
}

int main(void) {
    static uint8_t pixels[SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS];
    enum esq_status status = ESQ_DONE;
    esq_port_init();
    esq_give_others();
    while (status == ESQ_DONE) {
        status = sample_start();
        while (status == ESQ_NEEDS_ROW) {
            read_row(pixels);
            status = sample_push_row(pixels);
        }
        write_line(status == ESQ_DONE ? esq_answer() : -(int32_t)status);
    }
    return 1;
}
