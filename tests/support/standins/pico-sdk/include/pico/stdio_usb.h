/* Stands in for the Pico SDK's. */
#ifndef PICO_STDIO_USB_H
#define PICO_STDIO_USB_H

#include "pico/stdio/driver.h"

extern stdio_driver_t stdio_usb;

#endif
