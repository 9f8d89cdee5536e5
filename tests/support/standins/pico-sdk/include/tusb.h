/* Stands in for TinyUSB's. */
#ifndef TUSB_H
#define TUSB_H

#include <stdint.h>

uint32_t tud_cdc_available(void);

#endif
