/* Runs each line of stdin, an input in hex, through the harness. The number of a line stands on
 * stdout before it runs: the last one is that which failed, where one did. */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INPUT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static int nibble(int digit) {
    return isdigit(digit) ? digit - '0' : (tolower(digit) - 'a' + 10) & 15;
}

int main(void) {
    static uint8_t data[INPUT_MAX];
    size_t n_nibbles = 0;
    unsigned n_lines = 0;
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (int digit = getchar(); digit != EOF; digit = getchar()) {
        if (digit == '\n') {
            printf("%u\n", ++n_lines);
            (void)LLVMFuzzerTestOneInput(data, n_nibbles / 2);
            n_nibbles = 0;
        } else if (n_nibbles < 2 * sizeof data) {
            data[n_nibbles / 2] = (uint8_t)(data[n_nibbles / 2] << 4 | nibble(digit));
            n_nibbles++;
        }
    }
    return 0;
}
