/* Stands in for FreeRTOS': only what the examples name, with the types of its API. */
#ifndef STANDIN_FREERTOS_H
#define STANDIN_FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef struct QueueDefinition *QueueHandle_t;

#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define pdMS_TO_TICKS(ms) ((TickType_t)(ms) / 10u)

#endif
