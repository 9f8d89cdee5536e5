/* The USB controller as a device, and what a host asks on endpoint 0.
 *
 * RP2040 of revision B0 and B1 may stay in reset behind a busy hub (RP2040-E5): plug such a board
 * into a port of its own. All RP2040 may hang after certain errors on the wire (RP2040-E15): unplug
 * it then. RP2350 has neither fault. */
#include "usb.h"

#include "port.h"
#include "rp2.h"

#define ADDR_ENDP ESQ_USB_REGISTER(0x00u)
#define MAIN_CTRL ESQ_USB_REGISTER(0x40u)
#define SIE_CTRL ESQ_USB_REGISTER(0x4Cu)
#define SIE_STATUS ESQ_USB_REGISTER(0x50u)
#define BUFF_STATUS ESQ_USB_REGISTER(0x58u)
#define EP_STALL_ARM ESQ_USB_REGISTER(0x68u)
#define SOF_RD ESQ_USB_REGISTER(0x48u)
#define USB_MUXING ESQ_USB_REGISTER(0x74u)
#define USB_PWR ESQ_USB_REGISTER(0x78u)
#define INTS ESQ_USB_REGISTER(0x98u)

#define CONTROLLER_EN 1u /* and RP2350's PHY_ISO off */
#define TO_PHY_SOFTCON 9u
#define VBUS_IS_THERE 0xCu /* VBUS_DETECT and its override: no pin tells */
#define SIE_EP0_INT_1BUF (1u << 29)
#define SIE_PULLUP_EN (1u << 16)
#define STATUS_SETUP_REC (1u << 17)
#define STATUS_BUS_RESET (1u << 19)
#define BUFFER_AVAILABLE (1u << 10)
#define BUFFER_STALL (1u << 11)
#define STALL_EP0 3u
#define RAM_BYTES_TO_CLEAR 0x180u
#define EP0_AT 0x100u

/* Types of requests (bmRequestType without the direction), requests, and what they name. */
#define STANDARD_DEVICE 0x00u
#define STANDARD_INTERFACE 0x01u
#define STANDARD_ENDPOINT 0x02u
#define CLASS_INTERFACE 0x21u
#define TO_HOST 0x80u
#define REQUEST(type, request) ((uint32_t)(type) << 8 | (request))
#define GET_STATUS 0u
#define CLEAR_FEATURE 1u
#define SET_ADDRESS 5u
#define GET_DESCRIPTOR 6u
#define GET_CONFIGURATION 8u
#define SET_CONFIGURATION 9u
#define GET_INTERFACE 10u
#define SET_INTERFACE 11u
#define SET_LINE_CODING 0x20u
#define GET_LINE_CODING 0x21u
#define SET_CONTROL_LINE_STATE 0x22u
#define DTR 1u
#define LINE_CODING_BYTES 7u
#define TOUCH_BAUD 1200u /* and DTR taken back: the host asks for the bootloader, as Arduino's do */

struct setup {
    uint32_t request, value, index, n_bytes;
};

static struct {
    const uint8_t *data; /* to be sent yet */
    uint32_t n_left;
    uint32_t data1;
    uint8_t is_end_due;    /* a packet without bytes ends what comes to full packets */
    uint8_t is_coding_due; /* SET_LINE_CODING's bytes are to come */
    uint8_t is_touched;    /* into the bootloader, once the host has its answer */
    uint8_t address;       /* to be taken likewise; 0 for none */
    uint8_t configuration; /* 0 or 1 */
    uint8_t control_lines;
} control;
static uint8_t coding[LINE_CODING_BYTES] = {0x00u, 0xC2u, 0x01u, 0u, 0u, 0u, 8u}; /* 115,200 8N1 */

void esq_usb_arm(uint32_t buffer, uint32_t bits) {
    ESQ_USB_RAM(buffer) = bits;
    /* The controller, at 48 MHz, must see all else before AVAILABLE: "concurrent access" in the
     * datasheet. Twelve cycles are enough up to 190 MHz and more. */
    __asm__ volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
    ESQ_USB_RAM(buffer) = bits | BUFFER_AVAILABLE;
}

void esq_usb_put(uint32_t at, const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < n_bytes; i++) {
        word |= (uint32_t)bytes[i] << (8u * (i % 4u));
        if (i % 4u == 3u || i + 1u == n_bytes) {
            ESQ_USB_RAM(at + i / 4u * 4u) = word;
            word = 0;
        }
    }
}

uint8_t esq_usb_get(uint32_t at, uint32_t i) {
    return (uint8_t)(ESQ_USB_RAM(at + i / 4u * 4u) >> (8u * (i % 4u)));
}

static void send_next(void) {
    uint32_t n = control.n_left < ESQ_USB_PACKET_BYTES ? control.n_left : ESQ_USB_PACKET_BYTES;
    control.is_end_due = (uint8_t)(control.is_end_due && n == ESQ_USB_PACKET_BYTES);
    esq_usb_put(EP0_AT, control.data, n);
    esq_usb_arm(ESQ_USB_IN(0u), ESQ_USB_BUFFER_FULL | control.data1 | n);
    control.data1 ^= ESQ_USB_BUFFER_DATA1;
    control.data += n;
    control.n_left -= n;
}

/* What the host sends on endpoint 0: bytes of a request, or the end of one that asked for some. */
static void expect_out(void) {
    esq_usb_arm(ESQ_USB_OUT(0u), ESQ_USB_BUFFER_DATA1 | ESQ_USB_PACKET_BYTES);
}

static int answer(const struct setup *setup, const uint8_t *data, uint32_t n_bytes) {
    control.data = data;
    control.n_left = n_bytes < setup->n_bytes ? n_bytes : setup->n_bytes;
    control.is_end_due = n_bytes < setup->n_bytes;
    expect_out();
    send_next();
    return 1;
}

/* Says that a request without bytes is done. */
static int done(void) {
    control.n_left = 0;
    control.is_end_due = 0;
    send_next();
    return 1;
}

static int configure(uint32_t value) {
    if (value > 1u) {
        return 0;
    }
    control.configuration = (uint8_t)value;
    if (value != 0) {
        esq_usb_start_data();
    } else {
        esq_usb_stop_data();
    }
    return done();
}

static int set_control_lines(uint32_t value) {
    uint32_t baud = coding[0] | (uint32_t)coding[1] << 8 | (uint32_t)coding[2] << 16;
    int is_dtr_lost = (control.control_lines & DTR) && !(value & DTR);
    control.is_touched = baud == TOUCH_BAUD && is_dtr_lost;
    control.control_lines = (uint8_t)value;
    return done();
}

/* Answers a request; returns 0 where there is no such. */
static int take_request(const struct setup *setup) {
    static const uint8_t nothing[2]; /* no wake-up, no power of one's own, no halt, setting 0 */
    uint32_t n = 0;
    const uint8_t *found = 0;
    switch (setup->request) {
    case REQUEST(TO_HOST | STANDARD_DEVICE, GET_DESCRIPTOR):
        found = esq_usb_descriptor(setup->value, &n);
        return found && answer(setup, found, n);
    case REQUEST(TO_HOST | STANDARD_DEVICE, GET_STATUS):
    case REQUEST(TO_HOST | STANDARD_INTERFACE, GET_STATUS):
    case REQUEST(TO_HOST | STANDARD_ENDPOINT, GET_STATUS): return answer(setup, nothing, 2u);
    case REQUEST(TO_HOST | STANDARD_INTERFACE, GET_INTERFACE): return answer(setup, nothing, 1u);
    case REQUEST(TO_HOST | STANDARD_DEVICE, GET_CONFIGURATION):
        return answer(setup, &control.configuration, 1u);
    case REQUEST(TO_HOST | CLASS_INTERFACE, GET_LINE_CODING):
        return answer(setup, coding, LINE_CODING_BYTES);
    case REQUEST(STANDARD_DEVICE, SET_ADDRESS):
        control.address = setup->value & 0x7Fu;
        return done();
    case REQUEST(STANDARD_DEVICE, SET_CONFIGURATION): return configure(setup->value);
    case REQUEST(STANDARD_INTERFACE, SET_INTERFACE): return setup->value == 0 && done();
    case REQUEST(STANDARD_ENDPOINT, CLEAR_FEATURE):
        if (control.configuration && setup->index % TO_HOST == ESQ_USB_DATA_ENDPOINT) {
            esq_usb_start_data(); /* both begin with DATA0 again */
        }
        return done();
    case REQUEST(CLASS_INTERFACE, SET_LINE_CODING):
        control.is_coding_due = 1;
        expect_out();
        return 1;
    case REQUEST(CLASS_INTERFACE, SET_CONTROL_LINE_STATE): return set_control_lines(setup->value);
    default: return 0;
    }
}

static void on_setup(void) {
    uint32_t first = ESQ_USB_RAM(0u), second = ESQ_USB_RAM(4u);
    struct setup setup = {
        .request = REQUEST(first & 0xFFu, (first >> 8) & 0xFFu),
        .value = first >> 16,
        .index = second & 0xFFFFu,
        .n_bytes = second >> 16,
    };
    SIE_STATUS = STATUS_SETUP_REC;
    control.data1 = ESQ_USB_BUFFER_DATA1;
    control.is_coding_due = 0;
    control.address = 0;
    if (!take_request(&setup)) {
        EP_STALL_ARM = STALL_EP0;
        ESQ_USB_RAM(ESQ_USB_IN(0u)) = BUFFER_STALL;
        ESQ_USB_RAM(ESQ_USB_OUT(0u)) = BUFFER_STALL;
    }
}

static void on_control_sent(void) {
    if (control.address != 0) {
        ADDR_ENDP = control.address;
        control.address = 0;
    }
    if (control.is_touched) {
        esq_rp2_to_bootloader();
    }
    if (control.n_left != 0 || control.is_end_due) {
        send_next();
    }
}

static void on_control_received(void) {
    if (control.is_coding_due) {
        control.is_coding_due = 0;
        for (uint32_t i = 0; i < LINE_CODING_BYTES; i++) {
            coding[i] = esq_usb_get(EP0_AT, i);
        }
        (void)done();
    }
}

static void on_buffers(void) {
    uint32_t status = BUFF_STATUS; /* two bits an endpoint: IN, OUT */
    BUFF_STATUS = status;
    if (status & 1u) {
        on_control_sent();
    }
    if (status & 2u) {
        on_control_received();
    }
    if (status & (1u << (2u * ESQ_USB_DATA_ENDPOINT))) {
        esq_usb_sent();
    }
    if (status & (2u << (2u * ESQ_USB_DATA_ENDPOINT))) {
        esq_usb_received();
    }
}

void esq_usb_interrupt(void) {
    uint32_t why = INTS;
    if (why & ESQ_USB_INT_BUFF_STATUS) {
        on_buffers();
    }
    if (why & ESQ_USB_INT_SETUP_REQ) {
        on_setup();
    }
    if (why & ESQ_USB_INT_DEV_SOF) {
        (void)SOF_RD; /* clears it */
        esq_usb_received();
    }
    if (why & ESQ_USB_INT_BUS_RESET) {
        SIE_STATUS = STATUS_BUS_RESET;
        ADDR_ENDP = 0;
        control.configuration = 0;
        esq_usb_stop_data();
    }
}

void esq_rp2_start_usb(void) {
    esq_rp2_reset(ESQ_RESET_USBCTRL);
    for (uint32_t at = 0; at < RAM_BYTES_TO_CLEAR; at += 4u) {
        ESQ_USB_RAM(at) = 0;
    }
    USB_MUXING = TO_PHY_SOFTCON;
    USB_PWR = VBUS_IS_THERE;
    MAIN_CTRL = CONTROLLER_EN;
    SIE_CTRL = SIE_EP0_INT_1BUF;
    esq_usb_stop_data(); /* and which interrupts there are */
    esq_irq_enable(ESQ_USB_IRQ);
    SIE_CTRL = SIE_EP0_INT_1BUF | SIE_PULLUP_EN; /* the host sees a device */
}
