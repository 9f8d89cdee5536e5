/* What RP2040 and RP2350 share; their port.h says where things are. */
#ifndef ESQ_RP2_H
#define ESQ_RP2_H

#include <stdint.h>

/* Takes peripherals (bits of RESETS) out of reset and waits until they are. */
void esq_rp2_unreset(uint32_t bits);

/* Puts them into reset first. */
void esq_rp2_reset(uint32_t bits);

/* Crystal, PLLs and the clocks of core and UART, ESQ_CLOCK_HZ, and of USB. */
void esq_rp2_start_clocks(void);

/* UART0 on GP0 and GP1, 8N1, with an interrupt for what comes. Once the clocks are set. */
void esq_rp2_start_uart(void);

/* A serial line on the chip's own USB. Once the clocks are set. */
void esq_rp2_start_usb(void);

/* Each line's esq_port_write. */
void esq_rp2_uart_write(const uint8_t *bytes, uint32_t n_bytes);
void esq_rp2_usb_write(const uint8_t *bytes, uint32_t n_bytes);

/* The UART's esq_port_holds_baud and esq_port_set_baud. */
int esq_rp2_uart_holds_baud(uint32_t baud);
void esq_rp2_uart_set_baud(uint32_t baud);

/* Keeps a byte that has come on a line: the program's answers go there. From the interrupt. */
void esq_rp2_take(uint8_t byte, int is_usb);

/* Resets into the ROM's bootloader, as if BOOTSEL had been held: the chip's port supplies it. */
void esq_rp2_to_bootloader(void);

/* The ROM keeps halves of addresses at fixed places; returns the one at `at`, below 32. */
uintptr_t esq_rp2_rom_pointer(uint32_t at);

/* Fills in 64 bits that no other board has; zeros where nothing tells. Likewise. */
void esq_rp2_id(uint32_t id[2]);

#endif
