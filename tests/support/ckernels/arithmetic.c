/* Answers questions about esq_arithmetic.h: in, int32 {function, a, b, c} each; out, int32 each. */
#include "esq_arithmetic.h"

#include <stdio.h>

/* Mirror: FUNCTIONS in tests/unit/test_arithmetic.py. */
static int32_t answer(const int32_t *question) {
    const int32_t a = question[1];
    const int32_t b = question[2];
    const int32_t c = question[3];
    switch (question[0]) {
    case 0: return esq_doubling_high_mul(a, b);
    case 1: return esq_rounding_divide_by_pot(a, b);
    case 2: return esq_requantize(a, b, c);
    case 3: return esq_saturating_shift_left(a, b);
    case 4: return esq_rescale(a, (uint64_t)(uint32_t)b << 20, (uint32_t)c);
    default: return esq_clamp(a, b, c);
    }
}

int main(void) {
    int32_t question[4];
    while (fread(question, sizeof question, 1, stdin) == 1) {
        const int32_t result = answer(question);
        if (fwrite(&result, sizeof result, 1, stdout) != 1) {
            return 1;
        }
    }
    return 0;
}
