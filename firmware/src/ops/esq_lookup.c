/* What takes each value by itself: QUANTIZE, RELU and its like, LOGISTIC, TANH, HARD_SWISH, and
 * ADD, SUB and MUL with one constant for all. Mirror: edgesq/lookup.py. */
#include "../esq_lookup_runs.h"

/* By fours: 3 instructions per value and a loop's end for each four. */
static void look_up(const int8_t *table, const int8_t *values, uint32_t count, int8_t *result) {
    for (; count >= 4; count -= 4, values += 4, result += 4) {
        result[0] = table[(uint8_t)values[0]];
        result[1] = table[(uint8_t)values[1]];
        result[2] = table[(uint8_t)values[2]];
        result[3] = table[(uint8_t)values[3]];
    }
    for (uint32_t i = 0; i < count; i++) {
        result[i] = table[(uint8_t)values[i]];
    }
}

void esq_run_lookup(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_lookup_runs(op, arena, progress, look_up);
}
