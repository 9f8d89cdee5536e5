/* TensorFlow Lite Micro as the runtime: its interpreter over the .tflite in flash. */
#include <new>

#include "esq_whole.h"
#include "model_tflite.h"
#include "tensorflow/lite/micro/debug_log.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tflm_operators.h"

namespace {

/* Placed by hand: static objects with constructors would need more start-up code. */
alignas(OperatorResolver) unsigned char resolver_place[sizeof(OperatorResolver)];
alignas(tflite::MicroInterpreter) unsigned char interpreter_place[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;

} // namespace

extern "C" int esq_whole_init(void *arena, uint32_t arena_bytes) {
    OperatorResolver *resolver = new (resolver_place) OperatorResolver();
    if (add_operators(resolver) != kTfLiteOk) {
        return 1;
    }
    interpreter = new (interpreter_place) tflite::MicroInterpreter(
        tflite::GetModel(model_tflite), *resolver, static_cast<uint8_t *>(arena), arena_bytes);
    return interpreter->AllocateTensors() == kTfLiteOk ? 0 : 1;
}

extern "C" int8_t *esq_whole_input(void) { return interpreter->typed_input_tensor<int8_t>(0); }

extern "C" int esq_whole_invoke(void) { return interpreter->Invoke() == kTfLiteOk ? 0 : 1; }

extern "C" const int8_t *esq_whole_output(void) {
    return interpreter->typed_output_tensor<int8_t>(0);
}

/* The serial line carries frames, so what the library wants to say goes nowhere. */
extern "C" void DebugLog(const char *, va_list) {}
extern "C" int DebugVsnprintf(char *, size_t, const char *, va_list) { return 0; }

/* There is no heap: an allocation fails instead of growing into the stack. */
extern "C" void *_sbrk(ptrdiff_t) { return reinterpret_cast<void *>(-1); }
