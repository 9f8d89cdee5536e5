/* RP2350, core 0, a Cortex-M33 in its secure state, as the ROM starts it. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "rp2.h"

#define ROM_TABLE_LOOKUP 0x16u
#define ROM_REBOOT ('R' | 'B' << 8)
#define ROM_SYS_INFO ('G' | 'S' << 8)
#define CHIP_INFO 1u
#define ROM_FOR_SECURE_ARM 4u
#define TO_BOOTSEL_FOR_GOOD 0x102u /* REBOOT_TYPE_BOOTSEL, NO_RETURN_ON_SUCCESS */
#define REBOOT_AFTER_MS 10u

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
    esq_rp2_start_usb();
}

/* Datasheet 5.4.1: by two letters. */
static uintptr_t rom_function(uint32_t code) {
    typedef void *(*lookup)(uint32_t code, uint32_t mask);
    lookup find = (lookup)esq_rp2_rom_pointer(ROM_TABLE_LOOKUP);
    return (uintptr_t)find(code, ROM_FOR_SECURE_ARM);
}

/* Datasheet 5.4.8.24, reboot(). */
void esq_rp2_to_bootloader(void) {
    typedef int (*reboot)(uint32_t flags, uint32_t delay_ms, uint32_t p0, uint32_t p1);
    reboot to = (reboot)rom_function(ROM_REBOOT);
    (void)to(TO_BOOTSEL_FOR_GOOD, REBOOT_AFTER_MS, 0, 0);
}

uint32_t esq_port_ticks(void) { return esq_cycles(); }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }

/* Datasheet 5.4.8.17, get_sys_info(): what it told, package, device, wafer. */
void esq_rp2_id(uint32_t id[2]) {
    typedef int (*get_sys_info)(uint32_t *words, uint32_t n_words, uint32_t what);
    uint32_t words[4] = {0};
    get_sys_info get = (get_sys_info)rom_function(ROM_SYS_INFO);
    if (get(words, 4u, CHIP_INFO) == 4) {
        id[0] = words[3];
        id[1] = words[2];
    }
}
