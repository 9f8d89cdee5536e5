// Two models in one C++ program with one runtime: a classifier, and measures of another network.
//
// In: two pictures for the first and one for the second, uint8. Out: class and name of the first;
// the measures as hex floats; the classes that two engines say of the two, taking turns.
#include <array>
#include <cstdio>

#include "measure_model.h"
#include "person_model.h"

namespace {
template <std::size_t n> using Pixels = std::array<uint8_t, n>;
using Person = Pixels<PERSON_MODEL_INPUT_BYTES>;

struct Engine {
    esq_engine engine{};
    alignas(16) std::array<uint8_t, PERSON_MODEL_ARENA_BYTES> arena{};
};

constexpr std::array<const char *, PERSON_MODEL_CLASS_COUNT> names = PERSON_MODEL_CLASS_NAMES;

template <std::size_t n> bool read(Pixels<n> &pixels) {
    return std::fread(pixels.data(), 1, n, stdin) == n;
}

bool both_say(const Person &one, const Person &other) {
    static std::array<Engine, 2> engines;
    const std::array<const Person *, 2> pictures = {&one, &other};
    for (Engine &one_engine : engines) {
        if (esq_app_open(&person_app, &one_engine.engine, one_engine.arena.data(),
                         PERSON_MODEL_ARENA_BYTES) != ESQ_DONE ||
            esq_app_start(&person_app, &one_engine.engine) != ESQ_NEEDS_ROW) {
            return false;
        }
    }
    std::array<esq_status, 2> status = {ESQ_NEEDS_ROW, ESQ_NEEDS_ROW};
    for (std::size_t row = 0; row < PERSON_MODEL_INPUT_HEIGHT; row++) {
        const std::size_t at = row * PERSON_MODEL_INPUT_WIDTH * PERSON_MODEL_INPUT_CHANNELS;
        for (std::size_t i = 0; i < engines.size(); i++) {
            const uint8_t *pixels = pictures[i]->data() + at;
            status[i] = esq_app_push_row(&person_app, &engines[i].engine, pixels);
        }
    }
    for (const Engine &one_engine : engines) {
        std::printf("%d\n", static_cast<int>(esq_app_class(&person_app, &one_engine.engine)));
    }
    return status[0] == ESQ_DONE && status[1] == ESQ_DONE;
}
} // namespace

int main() {
    static Person person;
    static Person other;
    static Pixels<MEASURE_MODEL_INPUT_BYTES> scene;
    if (!read(person) || !read(other) || !read(scene)) {
        return 1;
    }
    const int32_t number = person_classify(person.data());
    if (number < 0 || measure_run(scene.data()) != ESQ_DONE) {
        return 2;
    }
    std::printf("%d %s\n", static_cast<int>(number), names[static_cast<std::size_t>(number)]);
    for (std::size_t i = 0; i < MEASURE_MODEL_OUTPUT_COUNT; i++) {
        std::printf("%a\n", static_cast<double>(measure_dequantize(measure_output()[i])));
    }
    return both_say(person, other) ? 0 : 3;
}
