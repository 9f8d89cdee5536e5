/* The bytes of the serial line: bulk endpoints.
 *
 * From the host: a packet that the ring has no room for stays where it is, and the controller
 * answers NAK, which holds the host back; nothing is lost. To the host: bytes gather while a packet
 * is under way, so that pieces of a frame share packets. */
#include "usb.h"

#include "esq_port.h"
#include "rp2.h"

#define SIE_STATUS ESQ_USB_REGISTER(0x50u)
#define SUSPENDED (1u << 4)

#define ENABLE (1u << 31)
#define INTERRUPT_PER_BUFFER (1u << 29)
#define TYPE_BULK (2u << 26)
#define TYPE_INTERRUPT (3u << 26)
#define NOTIFY_AT 0x180u /* in the controller's RAM, multiples of 64 */
#define IN_AT 0x1C0u
#define OUT_AT 0x200u
#define IN_BUFFER ESQ_USB_IN(ESQ_USB_DATA_ENDPOINT)
#define OUT_BUFFER ESQ_USB_OUT(ESQ_USB_DATA_ENDPOINT)

#define INTERRUPTS (ESQ_USB_INT_BUFF_STATUS | ESQ_USB_INT_BUS_RESET | ESQ_USB_INT_SETUP_REQ)

static volatile struct {
    uint8_t is_on;      /* the host has configured the device */
    uint8_t is_sending; /* a packet waits for the host to fetch it */
    uint8_t is_deaf;    /* the host fetched nothing for a second: what comes is dropped at once */
    uint8_t is_full;    /* the last packet sent: one without bytes must end the transfer */
    uint8_t n_pending;
} line;
static uint8_t pending[ESQ_USB_PACKET_BYTES];
static uint32_t in_data1, out_data1; /* what the next packet is: 0 or ESQ_USB_BUFFER_DATA1 */
static volatile uint32_t interrupts; /* those wanted, while the program lets none through */

static void want(uint32_t which) {
    interrupts = which;
    ESQ_USB_INTE = which;
}

static void expect_packet(void) {
    esq_usb_arm(OUT_BUFFER, out_data1 | ESQ_USB_PACKET_BYTES);
    out_data1 ^= ESQ_USB_BUFFER_DATA1;
}

static void send_pending(void) {
    uint32_t n = line.n_pending;
    esq_usb_put(IN_AT, pending, n);
    line.n_pending = 0;
    line.is_full = n == ESQ_USB_PACKET_BYTES;
    line.is_sending = 1;
    esq_usb_arm(IN_BUFFER, ESQ_USB_BUFFER_FULL | in_data1 | n);
    in_data1 ^= ESQ_USB_BUFFER_DATA1;
}

void esq_usb_stop_data(void) {
    line.is_on = 0;
    line.is_sending = 0;
    line.is_deaf = 0;
    line.is_full = 0;
    line.n_pending = 0;
    in_data1 = 0;
    out_data1 = 0;
    ESQ_USB_RAM(IN_BUFFER) = 0;
    ESQ_USB_RAM(OUT_BUFFER) = 0;
    want(INTERRUPTS);
}

void esq_usb_start_data(void) {
    esq_usb_stop_data();
    ESQ_USB_IN_CONTROL(ESQ_USB_NOTIFY_ENDPOINT) = ENABLE | TYPE_INTERRUPT | NOTIFY_AT;
    ESQ_USB_IN_CONTROL(ESQ_USB_DATA_ENDPOINT) = ENABLE | INTERRUPT_PER_BUFFER | TYPE_BULK | IN_AT;
    ESQ_USB_OUT_CONTROL(ESQ_USB_DATA_ENDPOINT) = ENABLE | INTERRUPT_PER_BUFFER | TYPE_BULK | OUT_AT;
    line.is_on = 1;
    expect_packet();
}

void esq_usb_sent(void) {
    line.is_sending = 0;
    line.is_deaf = 0;
    if (line.n_pending != 0 || line.is_full) {
        send_pending();
    }
}

/* Looks again each millisecond, by the bus' own clock, until there is room. */
void esq_usb_received(void) {
    uint32_t n = ESQ_USB_RAM(OUT_BUFFER) & ESQ_USB_BUFFER_LENGTH;
    if (n > esq_ring_room()) {
        want(INTERRUPTS | ESQ_USB_INT_DEV_SOF);
        return;
    }
    want(INTERRUPTS);
    for (uint32_t i = 0; i < n; i++) {
        esq_rp2_take(esq_usb_get(OUT_AT, i), 1);
    }
    expect_packet();
}

/* Waits until a byte more can be kept; returns whether it can. */
static int has_room(uint32_t start) {
    while (line.n_pending == ESQ_USB_PACKET_BYTES) {
        if (!line.is_on || line.is_deaf || (SIE_STATUS & SUSPENDED)) {
            return 0;
        }
        if (esq_port_ticks() - start > esq_port_tick_hz()) {
            line.is_deaf = 1;
            return 0;
        }
    }
    return line.is_on;
}

void esq_rp2_usb_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes;) {
        if (!has_room(start)) {
            return;
        }
        ESQ_USB_INTE = 0; /* what follows is the interrupt's too */
        for (; i < n_bytes && line.n_pending < ESQ_USB_PACKET_BYTES; i++) {
            pending[line.n_pending] = bytes[i];
            line.n_pending++;
        }
        if (line.is_on && !line.is_sending) {
            send_pending();
        }
        ESQ_USB_INTE = interrupts;
    }
}
