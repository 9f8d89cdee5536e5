/* UNIDIRECTIONAL_SEQUENCE_LSTM, portable. Mirror: edgesq/reference/sequence.py. */
#include "../esq_fixed16.h"
#include "esq_ops.h"

/* What one step of time works on. */
struct step {
    const struct esq_lstm *lstm;
    const int8_t *input;
    uint32_t inputs;
    uint32_t units;
    int16_t *cell;  /* [units] */
    int8_t *hidden; /* [units] */
    int16_t *gates; /* [ESQ_GATES, units] */
};

static int32_t rescaled(int32_t sum, const struct esq_factor *by) {
    return esq_requantize(sum, by->multiplier, by->shift);
}

static int32_t dot(const int8_t *weights, const int8_t *values, uint32_t count, int32_t sum) {
    for (uint32_t k = 0; k < count; k++) {
        sum += weights[k] * values[k];
    }
    return sum;
}

/* All units of a gate before its function, Q3.12. */
static void sum_gate(const struct step *step, const struct esq_gate *gate, int16_t *result) {
    const int8_t *weights = gate->weights;
    const int8_t *recurrent = gate->recurrent;
    for (uint32_t unit = 0; unit < step->units; unit++) {
        const int32_t of_input = dot(weights, step->input, step->inputs, gate->bias[unit]);
        const int32_t of_last =
            dot(recurrent, step->hidden, step->units, gate->recurrent_bias[unit]);
        const int32_t first = esq_saturate_to_16(rescaled(of_input, &gate->of_input));
        result[unit] = esq_saturate_to_16(first + rescaled(of_last, &gate->of_recurrent));
        weights += step->inputs;
        recurrent += step->units;
    }
}

static int16_t clipped(int32_t value, int32_t clip) {
    if (clip != 0 && value > clip) {
        return (int16_t)clip;
    }
    return (int16_t)(clip != 0 && value < -clip ? -clip : value);
}

/* A unit's cell, and what it puts out. */
static void update(const struct step *step, uint32_t unit) {
    const struct esq_lstm *lstm = step->lstm;
    const int16_t *gates = step->gates + unit;
    const int32_t enters = esq_logistic_16(gates[ESQ_GATE_INPUT * step->units]);
    const int32_t stays = esq_logistic_16(gates[ESQ_GATE_FORGET * step->units]);
    const int32_t leaves = esq_logistic_16(gates[ESQ_GATE_OUTPUT * step->units]);
    const int32_t candidate = esq_tanh_16(gates[ESQ_GATE_CELL * step->units], 3);
    const int32_t remembered = esq_rounding_divide_by_pot(stays * step->cell[unit], 15);
    const int32_t added = esq_rounding_divide_by_pot(enters * candidate, 15 + lstm->cell_bits);
    const int16_t cell = clipped(esq_saturate_to_16(remembered + added), lstm->clip);
    step->cell[unit] = cell;
    const int32_t product = leaves * esq_tanh_16(cell, lstm->cell_bits);
    step->hidden[unit] =
        esq_clamp(rescaled(product, &lstm->product) + lstm->output_zp, INT8_MIN, INT8_MAX);
}

static void take_step(const struct step *step) {
    for (uint32_t gate = 0; gate < ESQ_GATES; gate++) {
        sum_gate(step, &step->lstm->gates[gate], step->gates + gate * step->units);
    }
    for (uint32_t unit = 0; unit < step->units; unit++) {
        update(step, unit);
    }
}

void esq_run_lstm(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_slot *input = op->input[0];
    const struct esq_slot *output = op->output;
    void *cell = arena + op->sums_offset_bytes;
    void *gates = arena + op->work_offset_bytes;
    struct step step = {.lstm = op->params,
                        .input = esq_row(arena, input, 0),
                        .inputs = input->channels,
                        .units = output->channels,
                        .cell = cell,
                        .gates = gates};
    step.hidden = (int8_t *)cell + 2u * step.units;
    int8_t *result = esq_row(arena, output, 0);
    for (uint32_t column = 0; column < output->width; column++) {
        take_step(&step);
        for (uint32_t unit = 0; unit < step.units; unit++) {
            result[unit] = step.hidden[unit];
        }
        step.input += input->pixel_bytes;
        result += output->pixel_bytes;
    }
    progress->out_row++;
}
