/* Registers of a pretended chip, included before a port's sources on the command line. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

/* The word at an address of the chip, after the chip has done what the rules say. */
volatile uint32_t *chip_register(uint32_t address);

#define ESQ_REGISTER(address) (*chip_register(address))

#endif
