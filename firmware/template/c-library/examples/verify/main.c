/* Add these two calls to a program of your own, and `edgesq verify` can talk to it. */
#include "serve.h"

int main(void) {
    if (esq_serve_begin() != 0) {
        return 1;
    }
    for (;;) {
        esq_serve();
    }
}
