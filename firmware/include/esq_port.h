/* What a board supplies to the firmware: one serial line and one counter. See firmware/ports. */
#ifndef ESQ_PORT_H
#define ESQ_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The rate at which every board starts, and to which it falls back. */
#define ESQ_BAUD_DEFAULT 115200u

/* Sets up clocks, pins, serial line (8N1 at ESQ_BAUD_DEFAULT) and counter. Called once, first. */
void esq_port_init(void);

/* The next byte received, 0 to 255, or -1 where there is none. Never waits. */
int esq_port_read(void);

/* Bytes that the port holds while nobody reads: what a host may send ahead. */
uint32_t esq_port_rx_bytes(void);

/* Sends `bytes`. Waits for a line that is slow for at most about a second, then drops the rest: the
 * host sees a cut frame and asks again. */
void esq_port_write(const uint8_t *bytes, uint32_t n_bytes);

/* Rests until a byte may have come; returns at once where one is there. */
void esq_port_idle(void);

/* Rests for a moment, at most 0.1 s, or not at all: the program waits for a byte and for a time. */
void esq_port_pause(void);

/* Whether the line can run at `baud`, to within 2 %. */
int esq_port_holds_baud(uint32_t baud);

/* Waits until all that was written has left, then runs the line at `baud`, which it holds. */
void esq_port_set_baud(uint32_t baud);

/* Deepest use of the stack since start-up in bytes; 0 where the port cannot tell. */
uint32_t esq_port_stack_bytes(void);

/* CPUID register of a Cortex-M, misa of a RISC-V core; 0 elsewhere. */
uint32_t esq_port_cpuid(void);

/* Free-running counter, wraps at 2^32. */
uint32_t esq_port_ticks(void);

/* Rate of esq_port_ticks in hertz. */
uint32_t esq_port_tick_hz(void);

#ifdef __cplusplus
}
#endif

#endif
