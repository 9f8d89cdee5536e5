/* Stands in for ESP-IDF's: only what the examples name, with the types of its API. */
#ifndef STANDIN_ESP_ERR_H
#define STANDIN_ESP_ERR_H

#include <stdlib.h>

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_ERROR_CHECK(call)                                                                      \
    do {                                                                                           \
        if ((call) != ESP_OK) {                                                                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
