/* Classifies an image whose rows come from `read_row`: put your camera there. */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "classify.h"
#include "sample_model.h"

static int read_row(void *source, uint8_t *pixels) {
    uint32_t *row = source;
    for (uint32_t i = 0; i < SAMPLE_MODEL_INPUT_WIDTH * SAMPLE_MODEL_INPUT_CHANNELS; i++) {
        pixels[i] = (uint8_t)(8u * *row + i);
    }
    (*row)++;
    return 0;
}

int main(void) {
    for (;;) {
        uint32_t row = 0;
        const uint32_t start = k_cycle_get_32();
        const int32_t index = classify(read_row, &row);
        printk("class %d in cycles: %u\n", (int)index, (unsigned int)(k_cycle_get_32() - start));
    }
}
