// Lets `edgesq verify --port` check the model on this board. A sketch of your own needs these two
// calls, port.cpp and the folder src.
#include <Arduino.h>
#include <edgesq.h>
#include <sample_model.h>

#include "src/link/serve.h"

void setup() {
    while (esq_serve_begin() != 0) {
        yield();
    }
}

void loop() { esq_serve(); }
