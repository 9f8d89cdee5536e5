/* What a system's stand-in gives flood.c. */
#ifndef FLOOD_H
#define FLOOD_H

#include <stdint.h>

/* A byte comes from the line while the program rests, as by an interrupt. */
void flood_receive(uint8_t byte);

#endif
