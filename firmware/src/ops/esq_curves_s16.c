/* LOGISTIC and TANH on int16, by lines between values of a table.
 * Mirror: edgesq/arithmetic16.py. */
#include "../esq_arithmetic16.h"

#define ESQ_LAST 255u
#define ESQ_LOGISTIC_BITS 9u
#define ESQ_TANH_BITS 8u

/* 2^16 / (1 + exp(-k / 24)), as TensorFlow Lite has them. */
static const uint16_t sigmoid[ESQ_LAST + 1u] = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794,
    41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443,
    48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374,
    54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544,
    58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279,
    61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990,
    63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030,
    64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652,
    64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019,
    65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234,
    65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
    65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
    65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476,
    65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501,
    65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
    65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532,
    65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534,
    65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
};

/* (value * multiplier + half) >> shift. */
static int32_t placed(const struct esq_curve_s16 *by, int32_t value) {
    const int32_t half = by->shift ? 1 << (by->shift - 1) : 0;
    return (value * by->multiplier + half) >> by->shift;
}

/* What lies `bits` between the values of the table at a place; `most` behind it. */
static int32_t between(uint32_t place, uint32_t bits, int32_t most) {
    const uint32_t number = place >> bits;
    if (number >= ESQ_LAST) {
        return most;
    }
    const uint32_t step = (uint32_t)sigmoid[number + 1u] - sigmoid[number];
    const uint32_t part = place & ((1u << bits) - 1u);
    return (int32_t)(((uint32_t)sigmoid[number] << bits) + part * step);
}

static uint32_t magnitude(int32_t x) { return x < 0 ? 0u - (uint32_t)x : (uint32_t)x; }

static int16_t logistic(const struct esq_curve_s16 *by, int32_t value) {
    const int32_t place = placed(by, value);
    const int32_t upper = between(magnitude(place), ESQ_LOGISTIC_BITS, INT16_MAX * 1024);
    return (int16_t)((place < 0 ? (1 << 25) - upper + 511 : upper + 512) >> 10);
}

static int16_t hyperbolic(const struct esq_curve_s16 *by, int32_t value) {
    const int32_t place = placed(by, value);
    const int32_t upper = between(magnitude(place), ESQ_TANH_BITS, UINT16_MAX * 256);
    return (int16_t)((place < 0 ? (1 << 23) - upper + 127 : upper - (1 << 23) + 128) >> 8);
}

static void take_logistic(const void *params, const int8_t *const *pixels, uint32_t count,
                          int8_t *result) {
    const int16_t *from = esq_at_s16(pixels[0]);
    int16_t *values = esq_to_s16(result);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = logistic(params, from[i]);
    }
}

static void take_tanh(const void *params, const int8_t *const *pixels, uint32_t count,
                      int8_t *result) {
    const int16_t *from = esq_at_s16(pixels[0]);
    int16_t *values = esq_to_s16(result);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = hyperbolic(params, from[i]);
    }
}

void esq_run_logistic_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_band_s16(op, arena, progress, take_logistic);
}

void esq_run_tanh_s16(const struct esq_op *op, int8_t *arena, struct esq_progress *progress) {
    esq_band_s16(op, arena, progress, take_tanh);
}
