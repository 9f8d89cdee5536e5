/* USB of RP2040 and RP2350: one serial line (CDC-ACM) on the chip's own device controller.
 *
 * usb.c drives the controller and answers requests on endpoint 0, usb_data.c moves the line's
 * bytes, usb_descriptors.c says what the device is. Sources: the chips' datasheets ("USB"), USB 2.0
 * chapter 9 ("USB Device Framework"), USB CDC 1.2 and its PSTN subclass 1.2. */
#ifndef ESQ_USB_H
#define ESQ_USB_H

#include <stdint.h>

#include "cortex_m.h"

#define ESQ_USB_PACKET_BYTES 64u /* every endpoint's most; full speed allows no more */
#define ESQ_USB_NOTIFY_BYTES 8u
#define ESQ_USB_NOTIFY_ENDPOINT 1u /* interrupt IN; this line has nothing to notify */
#define ESQ_USB_DATA_ENDPOINT 2u   /* bulk IN and OUT */

/* The controller's registers. */
#define ESQ_USB_REGISTER(offset) ESQ_REGISTER(0x50110000u + (offset))
#define ESQ_USB_INTE ESQ_USB_REGISTER(0x90u)
#define ESQ_USB_INT_BUFF_STATUS (1u << 4)
#define ESQ_USB_INT_BUS_RESET (1u << 12)
#define ESQ_USB_INT_SETUP_REQ (1u << 16)
#define ESQ_USB_INT_DEV_SOF (1u << 17) /* each millisecond */

/* The controller's RAM: what a host asks, endpoints' settings, buffers. Words only. */
#define ESQ_USB_RAM(offset) ESQ_REGISTER(0x50100000u + (offset))
#define ESQ_USB_IN_CONTROL(endpoint) ESQ_USB_RAM(8u * (endpoint))
#define ESQ_USB_OUT_CONTROL(endpoint) ESQ_USB_RAM(8u * (endpoint) + 4u)
#define ESQ_USB_IN(endpoint) (0x80u + 8u * (endpoint)) /* buffer control of an endpoint */
#define ESQ_USB_OUT(endpoint) (0x84u + 8u * (endpoint))
#define ESQ_USB_BUFFER_FULL (1u << 15)
#define ESQ_USB_BUFFER_DATA1 (1u << 13)
#define ESQ_USB_BUFFER_LENGTH 0x3FFu

/* Hands a buffer to the controller. `buffer` is ESQ_USB_IN or ESQ_USB_OUT of an endpoint, `bits`
 * its length, whether it is DATA1, and FULL where it is to be sent. */
void esq_usb_arm(uint32_t buffer, uint32_t bits);

/* Copies bytes into the controller's RAM; `at` is a multiple of 4. */
void esq_usb_put(uint32_t at, const uint8_t *bytes, uint32_t n_bytes);

/* Returns byte `i` of what lies at `at`, a multiple of 4. */
uint8_t esq_usb_get(uint32_t at, uint32_t i);

/* Starts the endpoints of the serial line anew, as a host's SET_CONFIGURATION wants it. */
void esq_usb_start_data(void);

/* No more data: the host has reset the bus, or set no configuration. */
void esq_usb_stop_data(void);

/* From the interrupt: the host has fetched a packet; has sent one, or one still waits for room. */
void esq_usb_sent(void);
void esq_usb_received(void);

/* What the device is; returns the descriptor and its bytes, NULL where there is none. `which` is
 * wValue of GET_DESCRIPTOR: type in the upper byte, index in the lower. */
const uint8_t *esq_usb_descriptor(uint32_t which, uint32_t *n_bytes);

#endif
