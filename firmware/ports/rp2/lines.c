/* Two serial lines, UART and USB, for one program: it is answered where the last byte came from. */
#include "cortex_m.h"
#include "esq_port.h"
#include "rp2.h"

static volatile uint8_t is_on_usb;

void esq_rp2_take(uint8_t byte, int is_usb) {
    is_on_usb = (uint8_t)is_usb;
    esq_ring_put(byte);
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    if (is_on_usb) {
        esq_rp2_usb_write(bytes, n_bytes);
    } else {
        esq_rp2_uart_write(bytes, n_bytes);
    }
}

/* USB has no rate: any will do. */
int esq_port_holds_baud(uint32_t baud) { return is_on_usb || esq_rp2_uart_holds_baud(baud); }

/* The UART goes along where it can, and back at the latest when the session falls back. */
void esq_port_set_baud(uint32_t baud) {
    if (esq_rp2_uart_holds_baud(baud)) {
        esq_rp2_uart_set_baud(baud);
    }
}
