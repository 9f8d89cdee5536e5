/* What the host is told: one device, one configuration, a serial line of two interfaces. */
#include "usb.h"

#include <stddef.h>

#include "port.h"
#include "rp2.h"

#define DEVICE 1u
#define CONFIGURATION 2u
#define STRING 3u
#define INTERFACE 4u
#define ENDPOINT 5u
#define CLASS_INTERFACE 0x24u

#define CLASS_CDC 2u
#define SUBCLASS_ACM 2u
#define CLASS_CDC_DATA 10u
#define IN 0x80u
#define BULK 2u
#define INTERRUPT 3u
#define LINE_REQUESTS 2u /* SET_LINE_CODING and its kin */
#define MILLIAMPERES 250u
#define CONFIGURATION_BYTES 67u

#define ESQ_TEXT(x) #x
#define ESQ_TEXT_OF(macro) ESQ_TEXT(macro)
#define LOW(word) ((word) & 0xFFu)
#define HIGH(word) ((word) >> 8)

enum { NO_STRING, MAKER, PRODUCT, SERIAL };

/* Vendor and product are those that Raspberry Pi gives out for a serial line on its chips:
 * raspberrypi/usb-pid, "Pico SDK CDC UART". */
/* A descriptor a line. */
/* clang-format off */
static const uint8_t device[] = {
    18u, DEVICE, 0x00u, 0x02u /* USB 2.0 */, CLASS_CDC, 0u, 0u, ESQ_USB_PACKET_BYTES,
    LOW(ESQ_USB_VENDOR), HIGH(ESQ_USB_VENDOR), LOW(ESQ_USB_PRODUCT), HIGH(ESQ_USB_PRODUCT),
    0x00u, 0x01u /* release 1.00 */, MAKER, PRODUCT, SERIAL, 1u,
};

static const uint8_t configuration[] = {
    9u,
    CONFIGURATION,
    CONFIGURATION_BYTES,
    0u,
    2u,
    1u,
    NO_STRING,
    0x80u,
    MILLIAMPERES / 2u,
    9u,
    INTERFACE,
    0u,
    0u,
    1u,
    CLASS_CDC,
    SUBCLASS_ACM,
    0u,
    NO_STRING,
    5u,
    CLASS_INTERFACE,
    0u,
    0x10u,
    0x01u, /* header: CDC 1.10 */
    5u,
    CLASS_INTERFACE,
    1u,
    0u,
    1u, /* call management: none, data on interface 1 */
    4u,
    CLASS_INTERFACE,
    2u,
    LINE_REQUESTS, /* abstract control model */
    5u,
    CLASS_INTERFACE,
    6u,
    0u,
    1u, /* union: 0 controls 1 */
    7u,
    ENDPOINT,
    IN | ESQ_USB_NOTIFY_ENDPOINT,
    INTERRUPT,
    ESQ_USB_NOTIFY_BYTES,
    0u,
    16u,
    9u,
    INTERFACE,
    1u,
    0u,
    2u,
    CLASS_CDC_DATA,
    0u,
    0u,
    NO_STRING,
    7u,
    ENDPOINT,
    ESQ_USB_DATA_ENDPOINT,
    BULK,
    ESQ_USB_PACKET_BYTES,
    0u,
    0u,
    7u,
    ENDPOINT,
    IN | ESQ_USB_DATA_ENDPOINT,
    BULK,
    ESQ_USB_PACKET_BYTES,
    0u,
    0u,
};
/* clang-format on */
_Static_assert(sizeof configuration == CONFIGURATION_BYTES, "wTotalLength");

static const uint8_t languages[] = {4u, STRING, 0x09u, 0x04u}; /* English */

/* The board's id in hex, as pico-sdk writes it. */
static const char *serial_number(void) {
    static char text[2u * 8u + 1u];
    uint32_t id[2] = {0};
    esq_rp2_id(id);
    uint32_t n = (id[0] | id[1]) == 0 ? 0u : 2u * 8u;
    for (uint32_t i = 0; i < n; i++) {
        text[i] = "0123456789ABCDEF"[(id[i / 8u] >> (28u - 4u * (i % 8u))) & 15u];
    }
    return text;
}

/* A string descriptor is UTF-16; made of ASCII when asked for. */
static const uint8_t *string_of(const char *text, uint32_t *n_bytes) {
    static uint8_t made[2u + 2u * 31u];
    uint32_t n = 2u;
    for (; *text && n < sizeof made; text++, n += 2u) {
        made[n] = (uint8_t)*text;
        made[n + 1u] = 0;
    }
    made[0] = (uint8_t)n;
    made[1] = STRING;
    *n_bytes = n;
    return made;
}

const uint8_t *esq_usb_descriptor(uint32_t which, uint32_t *n_bytes) {
    switch (which) {
    case DEVICE << 8: *n_bytes = sizeof device; return device;
    case CONFIGURATION << 8: *n_bytes = sizeof configuration; return configuration;
    case STRING << 8: *n_bytes = sizeof languages; return languages;
    case STRING << 8 | MAKER: return string_of("edgesq", n_bytes);
    case STRING << 8 | PRODUCT: return string_of("edgesq on " ESQ_TEXT_OF(ESQ_BOARD_NAME), n_bytes);
    case STRING << 8 | SERIAL: return string_of(serial_number(), n_bytes);
    default: return NULL;
    }
}
