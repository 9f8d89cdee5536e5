/* Writes the embedded .tflite; fails where it is not aligned. */
#include <stdint.h>
#include <stdio.h>

#include "model_tflite.h"

int main(void) {
    if ((uintptr_t)model_tflite % 16 != 0) {
        return 1;
    }
    return fwrite(model_tflite, 1, sizeof model_tflite, stdout) != MODEL_TFLITE_BYTES;
}
