/* CONV_2D and FULLY_CONNECTED on scalar cores: the loops around the kernels.
 * Mirror: edgesq/kernels/scalar/windows.py.
 *
 * Windows are set out whole and serve all output channels, where working memory allows. Elsewhere
 * some taps are set out at a time, anew for each tile of channels, whose sums wait in memory.
 */
#include "../esq_windows.h"
#include "esq_scalar_listed.h"

/* A frame that is left before anything else is called. */
#define ESQ_OWN_FRAME __attribute__((noinline))
/* Output channels whose sums are held on the stack, not in the arena; and how many at a time, a
 * multiple of 4 for lone pixels: on Armv6-M frames are larger. */
#define ESQ_FEW_CHANNELS 8u
#if defined(__ARM_ARCH_6M__)
#define ESQ_HELD_CHANNELS 4u
#else
#define ESQ_HELD_CHANNELS ESQ_FEW_CHANNELS
#endif
/* With so many output channels it costs little to try in vain to list a window. */
#define ESQ_MANY_CHANNELS 32u
/* Output channels of a strip that are held at a time, on the stack. */
#define ESQ_STRIP_CHANNELS 8u

static inline uint32_t at_most(uint32_t most, uint32_t left) { return left < most ? left : most; }

/* Where sums are held: behind the words of the most pixels, those of few channels on the stack. */
static inline int32_t *sums_of(const struct esq_conv2d_scalar *params, void *words, int32_t *few) {
    int8_t *const begin = words;
    void *place = begin + esq_scalar_bytes(params->taps, params->pixels);
    return params->channels > ESQ_FEW_CHANNELS ? place : few;
}

/* Finds the taps inside the image, by rows; all where a row is no multiple of ESQ_SCALAR_TAPS. */
static void enter_taps(struct esq_scalar_view *view) {
    const struct esq_window *window = &view->params->window;
    const uint32_t row_taps = (uint32_t)window->width * view->input->channels;
    const uint32_t taps = window->height * row_taps;
    view->taps = (taps + ESQ_SCALAR_TAPS - 1u) & ~(ESQ_SCALAR_TAPS - 1u);
    view->inside = (struct esq_scalar_range){0, view->taps};
    if (row_taps % ESQ_SCALAR_TAPS == 0) {
        const struct esq_present present = esq_present_rows(view->rows, window->height);
        view->inside.first = present.first * row_taps;
        view->inside.end = view->inside.first + present.count * row_taps;
    }
}

static void enter_view(const struct esq_conv2d_scalar *params, const struct esq_op *op,
                       int8_t *arena, uint32_t out_row, int32_t *few,
                       struct esq_scalar_view *view) {
    void *work = arena + op->work_offset_bytes;
    view->params = params;
    view->input = op->input[0];
    view->words = work;
    view->sums = sums_of(params, work, few);
    view->is_dense = 0;
    esq_rows_under(&params->window, op->input[0], arena, out_row, view->rows);
    enter_taps(view);
}

/* Returns how many of `pixels` output pixels from `column` on to compute together: as many as can
 * be listed where that pays, else all. */
static uint32_t enter_run(struct esq_scalar_view *view, uint32_t column, uint32_t pixels,
                          uint32_t channels) {
    uint32_t listed = 0;
    if (ESQ_SCALAR_LISTS && view->params->weight_sums && !view->is_dense) {
        listed = esq_scalar_list_windows(view, column, pixels);
        view->is_dense = (uint8_t)(listed == 0 && channels < ESQ_MANY_CHANNELS);
    }
    view->is_listed = (uint8_t)(listed > 0);
    return listed > 0 ? listed : pixels;
}

typedef void sums_fn(const struct esq_scalar_job *job);

/* By pixels, less one. */
static sums_fn *const sums_for[ESQ_SCALAR_MAX_PIXELS] = {esq_scalar_sums_1, esq_scalar_sums_2,
                                                         esq_scalar_sums_3, esq_scalar_sums_4};

/* Sums of channels [first, first + channels) of `pixels` pixels from `column` on, set out. Not
 * inlined: its frame would stand on the stack below lists too. */
ESQ_OWN_FRAME static void sum_up(const struct esq_scalar_view *view, uint32_t column,
                                 uint32_t pixels, uint32_t first, uint32_t channels) {
    const struct esq_conv2d_scalar *params = view->params;
    const struct esq_scalar_range inside = view->inside;
    const int is_whole = params->taps >= inside.end - inside.first;
    struct esq_scalar_job job = {
        .windows = view->words,
        .weights = params->weights + first * view->taps + inside.first,
        .channels = channels,
        .sums = view->sums,
        .adds = inside.end - inside.first < view->taps,
    };
    if (job.adds) {
        esq_scalar_sum_beside(view, pixels, first, channels);
    }
    for (uint32_t tap = inside.first; tap < inside.end; tap += job.taps) {
        job.taps = at_most(params->taps, inside.end - tap);
        job.gap_bytes = view->taps - job.taps;
        if (first == 0 || !is_whole) {
            esq_scalar_set_out(view, column, pixels, tap, job.taps);
        }
        sums_for[pixels - 1](&job);
        job.weights += job.taps;
        job.adds = 1;
    }
}

/* Sums of channels [first, first + channels) of a run that was entered. */
static void sum_run(const struct esq_scalar_view *view, uint32_t column, uint32_t pixels,
                    uint32_t first, uint32_t channels) {
    if (ESQ_SCALAR_LISTS && view->is_listed) {
        esq_scalar_sum_lists(view, pixels, first, channels);
    } else {
        sum_up(view, column, pixels, first, channels);
    }
}

/* The block of these sums; it lacks its result. */
static struct esq_scalar_block block_of(const struct esq_scalar_view *view, uint32_t pixels,
                                        uint32_t first, uint32_t channels) {
    const struct esq_conv2d_scalar *params = view->params;
    struct esq_scalar_block block = {
        .sums = view->sums,
        .bias = params->bias + first,
        .channels = channels,
        .pixels = pixels,
        .width = esq_scalar_width(pixels),
        .output_zp = params->output_zp,
        .clamp_min = params->clamp_min,
        .clamp_max = params->clamp_max,
    };
    if (params->shift) {
        block.multiplier = params->multiplier + first;
        block.shift = params->shift + first;
    } else {
        block.rescaling = params->rescaling + first;
    }
    return block;
}

/* Ends sums; its block is not there while windows are set out, where the stack is deepest. */
static ESQ_OWN_FRAME void end_sums(const struct esq_scalar_view *view, uint32_t pixels,
                                   uint32_t first, uint32_t channels, int8_t *result,
                                   uint32_t pixel_bytes) {
    struct esq_scalar_block block = block_of(view, pixels, first, channels);
    block.result = result + first;
    block.pixel_bytes = pixel_bytes;
    view->params->end(&block);
}

static void compute_row(struct esq_scalar_view *view, const struct esq_slot *output,
                        uint32_t channels, int8_t *result) {
    const struct esq_conv2d_scalar *params = view->params;
    const uint32_t most =
        params->channels > ESQ_FEW_CHANNELS ? params->channels : ESQ_HELD_CHANNELS;
    for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
        pixels = enter_run(view, x, at_most(params->pixels, output->width - x), channels);
        for (uint32_t c = 0, count; c < channels; c += count) {
            count = at_most(most, channels - c);
            sum_run(view, x, pixels, c, count);
            end_sums(view, pixels, c, count, result, output->pixel_bytes);
        }
        result += pixels * output->pixel_bytes;
    }
}

void esq_scalar_compute(const void *conv, const struct esq_op *op, int8_t *arena,
                        const struct esq_rows *rows) {
    for (uint32_t y = rows->first; y < rows->end; y++) {
        int32_t few[ESQ_SCALAR_MAX_PIXELS * ESQ_HELD_CHANNELS];
        struct esq_scalar_view view;
        enter_view(conv, op, arena, y, few, &view);
        compute_row(&view, op->output, rows->channels,
                    esq_row(arena, op->output, y) + rows->channel);
    }
}

void esq_run_conv2d_scalar(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    const struct esq_rows rows = {progress->out_row, esq_band_end(op, progress), 0,
                                  op->output->channels};
    esq_scalar_compute(op->params, op, arena, &rows);
    progress->out_row = (uint16_t)rows.end;
}

/* Ends sums, some channels at a time, and adds the pixels up; its frame as that of end_sums(). */
static ESQ_OWN_FRAME void add_block(const struct esq_scalar_view *view, uint32_t pixels,
                                    uint32_t first, uint32_t channels, int32_t *sums) {
    int8_t strip[ESQ_SCALAR_MAX_PIXELS * ESQ_STRIP_CHANNELS];
    for (uint32_t c = 0, count; c < channels; c += count) {
        count = at_most(ESQ_STRIP_CHANNELS, channels - c);
        struct esq_scalar_block block = block_of(view, pixels, first + c, count);
        block.sums += c * block.width;
        block.result = strip;
        block.pixel_bytes = ESQ_STRIP_CHANNELS;
        view->params->end(&block);
        for (uint32_t k = 0; k < count; k++) {
            for (uint32_t pixel = 0; pixel < pixels; pixel++) {
                sums[c + k] += strip[pixel * ESQ_STRIP_CHANNELS + k];
            }
        }
    }
}

void esq_scalar_add_row(const void *conv, const struct esq_op *op, int8_t *arena,
                        const struct esq_rows *rows, const struct esq_slot *output, int32_t *sums) {
    const struct esq_conv2d_scalar *params = conv;
    const uint32_t most =
        params->channels > ESQ_FEW_CHANNELS ? params->channels : ESQ_HELD_CHANNELS;
    int32_t few[ESQ_SCALAR_MAX_PIXELS * ESQ_HELD_CHANNELS];
    struct esq_scalar_view view;
    enter_view(params, op, arena, rows->first, few, &view);
    for (uint32_t x = 0, pixels; x < output->width; x += pixels) {
        pixels = enter_run(&view, x, at_most(params->pixels, output->width - x), rows->channels);
        for (uint32_t c = 0, count; c < rows->channels; c += count) {
            count = at_most(most, rows->channels - c);
            sum_run(&view, x, pixels, c, count);
            add_block(&view, pixels, c, count, sums + c);
        }
    }
}
