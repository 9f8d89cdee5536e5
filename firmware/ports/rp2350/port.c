/* RP2350, core 0, a Cortex-M33 in its secure state, as the ROM starts it. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "rp2.h"

/* The block by which the ROM knows an image: an executable, secure, Arm, RP2350 (datasheet 5.9.5).
 * It must lie in the first 4 KB; without an entry of its own the vector table is the image's
 * start. */
static const uint32_t image_definition[] __attribute__((section(".boot_info"), used)) = {
    0xFFFFDED3u, /* start */
    0x10210142u, /* item IMAGE_TYPE, one word */
    0x000001FFu, /* last item, one word of items before it */
    0x00000000u, /* the next block: this one */
    0xAB123579u, /* end */
};

void esq_port_init(void) {
    esq_rp2_start_clocks();
    (void)esq_cycles_start();
    esq_rp2_start_uart();
}

uint32_t esq_port_ticks(void) { return esq_cycles(); }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }
