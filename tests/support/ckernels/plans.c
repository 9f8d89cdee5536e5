/* Runs up to four plans of one network over the same images and writes what each observes.
 *
 * In: int8 [n, height, width, channels]. Out: per image, per plan, every observed tensor in order.
 * The images are one sequence.
 * Every arena is a block of its own with not a byte to spare, filled with rubbish before each
 * image: the address sanitizer sees what reaches past it, and the results show what is read too
 * early.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgesq.h"
#include "esq_model.h"
#include "rubbish.h"

#define MAX_PLANS 4
/* Weak: a program is linked with as many as it has. */
extern const struct esq_model plan_0_model;
extern const struct esq_model plan_1_model __attribute__((weak));
extern const struct esq_model plan_2_model __attribute__((weak));
extern const struct esq_model plan_3_model __attribute__((weak));

static int run(struct esq_engine *engine, const int8_t *image) {
    fill_with_rubbish(engine);
    esq_start(engine);
    for (;;) {
        const enum esq_status status = esq_step(engine);
        if (status == ESQ_DONE) {
            return 0;
        }
        if (status == ESQ_NEEDS_ROW) {
            const size_t row_bytes = esq_input_row_bytes(engine);
            memcpy(esq_input_row(engine), image, row_bytes);
            image += row_bytes;
            if (esq_push_row(engine) != ESQ_MORE) {
                return 1;
            }
        }
    }
}

static int write_observed(const struct esq_engine *engine) {
    uint32_t bytes;
    const int8_t *values;
    for (uint32_t index = 0; (values = esq_observed(engine, index, &bytes)); index++) {
        if (fwrite(values, 1, bytes, stdout) != bytes) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    const struct esq_model *const models[MAX_PLANS] = {&plan_0_model, &plan_1_model, &plan_2_model,
                                                       &plan_3_model};
    struct esq_engine engines[MAX_PLANS];
    size_t count = 0;
    for (; count < MAX_PLANS && models[count]; count++) {
        const uint32_t bytes = models[count]->arena_bytes;
        if (esq_init(&engines[count], models[count], aligned_alloc(16, bytes), bytes) != ESQ_DONE) {
            return 1;
        }
    }
    size_t image_bytes = 0;
    for (uint32_t index = 0; index < plan_0_model.input_count; index++) {
        const struct esq_slot *slot = plan_0_model.inputs[index];
        image_bytes += (size_t)slot->height * slot->width * slot->channels;
    }
    int8_t *image = malloc(image_bytes);
    while (fread(image, 1, image_bytes, stdin) == image_bytes) {
        for (size_t plan = 0; plan < count; plan++) {
            if (run(&engines[plan], image) || write_observed(&engines[plan])) {
                return 1;
            }
        }
    }
    for (size_t plan = 0; plan < count; plan++) {
        free(engines[plan].arena);
    }
    free(image);
    return 0;
}
