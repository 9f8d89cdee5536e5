/* Lets `edgesq verify --port` check the model on this board. A project of your own needs these two
 * calls, port.c and the folder link. */
#include "link/serve.h"

void app_main(void) {
    if (esq_serve_begin() != 0) {
        return;
    }
    for (;;) {
        esq_serve();
    }
}
