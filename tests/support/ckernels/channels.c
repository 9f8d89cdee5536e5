/* Takes channels out of their bits, in memory of exactly their size.
 *
 * In, for each set: u32 channels, u32 bytes of fields, u32 int32 of steps or words, u8 bits, u8
 * step bits, u8 fraction bits, u8 shift bits, u8 first shift, u8 0 [3]; then these int32 and bytes.
 * Out: int32 bias, multiplier, shift of each channel.
 */
#include <stdio.h>
#include <stdlib.h>

#include "esq_channels.h"

struct head {
    uint32_t count;
    uint32_t n_bytes;
    uint32_t steps;
    uint8_t bits;
    uint8_t step_bits;
    uint8_t fraction_bits;
    uint8_t shift_bits;
    uint8_t first_shift;
    uint8_t unused[3];
};

static int unpack(const struct head *head) {
    int32_t *steps = malloc(sizeof *steps * head->steps);
    uint8_t *fields = malloc(head->n_bytes);
    int failed = !steps || !fields ||
                 fread(steps, sizeof *steps, head->steps, stdin) != head->steps ||
                 fread(fields, 1, head->n_bytes, stdin) != head->n_bytes;
    struct esq_channels channels = {.fields = fields,
                                    .steps = steps,
                                    .bits = head->bits,
                                    .step_bits = head->step_bits,
                                    .fraction_bits = head->fraction_bits,
                                    .shift_bits = head->shift_bits,
                                    .first_shift = head->first_shift};
    for (uint32_t c = 0; c < head->count && !failed; c++) {
        const struct esq_channel channel = esq_channel_at(&channels, c);
        failed = fwrite(&channel, sizeof channel, 1, stdout) != 1;
    }
    free(steps);
    free(fields);
    return failed;
}

int main(void) {
    struct head head;
    while (fread(&head, sizeof head, 1, stdin) == 1) {
        if (unpack(&head)) {
            return 1;
        }
    }
    return 0;
}
