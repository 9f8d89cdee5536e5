/* Stands in for ESP-IDF's: only what the examples name, with the types of its API. */
#ifndef STANDIN_ESP_TIMER_H
#define STANDIN_ESP_TIMER_H

#include <stdint.h>

int64_t esp_timer_get_time(void);

#endif
