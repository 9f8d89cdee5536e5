/* Lets `edgesq verify` check the model on this board. A program of your own needs these two calls,
 * port.c and the folder link. */
#include "link/serve.h"

int main(void) {
    if (esq_serve_begin() != 0) {
        return 1;
    }
    for (;;) {
        esq_serve();
    }
}
