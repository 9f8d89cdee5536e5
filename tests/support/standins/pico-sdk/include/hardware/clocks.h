/* Stands in for the Pico SDK's. */
#ifndef HARDWARE_CLOCKS_H
#define HARDWARE_CLOCKS_H

#include <stdint.h>

#define SYS_CLK_HZ 48000000u

enum clock_num { clk_peri };

uint32_t clock_get_hz(enum clock_num clock);

#endif
