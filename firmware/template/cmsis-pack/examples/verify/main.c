/* Lets `edgesq verify --port` check the model on this board. A program of your own needs these two
 * calls. */
#include "serve.h"

int main(void) {
    if (esq_serve_begin() != 0) {
        return 1;
    }
    for (;;) {
        esq_serve();
    }
}
