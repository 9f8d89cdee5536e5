/* A board in this process: the firmware's link and engine, a port whose line and clock are ours. */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <stdint.h>

#include "wire.h"

#define BOARD_TAG 0x1234u
#define BOARD_CLOCK_HZ 1000u

/* Resets the board; its clock goes on by `pace` ticks whenever it is looked at. */
void board_start(uint32_t pace);

/* Has the board take bytes from the line; each of its answers is held against the rules. */
void board_hear(const uint8_t *bytes, uint32_t n_bytes);

/* Has time pass, in ticks. */
void board_pass(uint32_t ticks);

/* Opens a session with BOARD_TAG. */
void board_hello(void);

/* Ends half a frame, opens a session and has an image computed: aborts where the board does not
 * answer or computes something else than the engine alone. */
void board_must_work(void);

#endif
