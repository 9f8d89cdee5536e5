/* Sums, means and extremes along any axes. Mirror: edgesq/reference/reduce.py. */
#include "../esq_arithmetic.h"
#include "../esq_windows.h"

/* What differs between sums and extremes. */
struct way {
    int32_t start;
    /* Takes a row of `input` into int32 [output width, output channels]. */
    void (*take)(const struct esq_op *op, const int8_t *pixel, int32_t *places);
    /* Makes these an output row. */
    void (*end)(const struct esq_op *op, const int32_t *places, int8_t *result);
};

static void fill(int32_t start, const struct esq_slot *output, int32_t *places) {
    for (uint32_t left = (uint32_t)output->width * output->channels; left > 0; left--) {
        *places++ = start;
    }
}

static void run(const struct esq_op *op, int8_t *arena, struct esq_progress *progress,
                const struct way *way) {
    const struct esq_reduction *params = op->params;
    const struct esq_slot *input = op->input[0];
    if (params->over_rows) {
        void *kept = arena + op->sums_offset_bytes;
        if (progress->in_row == 0) {
            fill(way->start, op->output, kept);
        }
        way->take(op, esq_row(arena, input, progress->in_row), kept);
        progress->in_row++;
        if (progress->in_row == input->height) {
            way->end(op, kept, esq_row(arena, op->output, 0));
            progress->out_row = 1;
        }
        return;
    }
    void *places = arena + op->work_offset_bytes;
    for (uint32_t end = esq_band_end(op, progress); progress->out_row < end; progress->out_row++) {
        fill(way->start, op->output, places);
        way->take(op, esq_row(arena, input, progress->out_row), places);
        way->end(op, places, esq_row(arena, op->output, progress->out_row));
    }
}

static void add_row(const struct esq_op *op, const int8_t *pixel, int32_t *sums) {
    const struct esq_reduction *params = op->params;
    const struct esq_slot *input = op->input[0];
    const uint32_t across = params->over_columns ? 0 : op->output->channels;
    for (uint32_t x = 0; x < input->width; x++) {
        if (params->over_channels) {
            int32_t sum = 0;
            for (uint32_t c = 0; c < input->channels; c++) {
                sum += pixel[c];
            }
            *sums += sum;
        } else {
            for (uint32_t c = 0; c < input->channels; c++) {
                sums[c] += pixel[c];
            }
        }
        pixel += input->pixel_bytes;
        sums += across;
    }
}

static void end_sums(const struct esq_op *op, const int32_t *sums, int8_t *result) {
    const struct esq_reduction by = *(const struct esq_reduction *)op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t x = 0; x < output->width; x++) {
        for (uint32_t c = 0; c < output->channels; c++) {
            const int32_t scaled = esq_requantize(*sums++ - by.offset, by.multiplier, by.shift);
            result[c] = esq_clamp(scaled + by.output_zp, -128, 127);
        }
        result += output->pixel_bytes;
    }
}

void esq_run_sum(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    static const struct way sum = {0, add_row, end_sums};
    run(op, arena, progress, &sum);
}

static void compare_row(const struct esq_op *op, const int8_t *pixel, int32_t *greatest) {
    const struct esq_reduction *params = op->params;
    const struct esq_slot *input = op->input[0];
    const uint32_t across = params->over_columns ? 0 : op->output->channels;
    const uint32_t deep = params->over_channels ? 0 : 1;
    const int32_t flip = params->flip;
    for (uint32_t x = 0; x < input->width; x++) {
        int32_t *place = greatest;
        for (uint32_t c = 0; c < input->channels; c++) {
            const int32_t value = pixel[c] ^ flip;
            if (value > *place) {
                *place = value;
            }
            place += deep;
        }
        pixel += input->pixel_bytes;
        greatest += across;
    }
}

static void end_extremes(const struct esq_op *op, const int32_t *greatest, int8_t *result) {
    const struct esq_reduction *params = op->params;
    const struct esq_slot *output = op->output;
    for (uint32_t x = 0; x < output->width; x++) {
        for (uint32_t c = 0; c < output->channels; c++) {
            result[c] = (int8_t)(*greatest++ ^ params->flip);
        }
        result += output->pixel_bytes;
    }
}

void esq_run_extreme(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    static const struct way extreme = {-128, compare_row, end_extremes};
    run(op, arena, progress, &extreme);
}
