/* RP2040, core 0. A Cortex-M0+ has no cycle counter but SysTick. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "rp2.h"

#define WATCHDOG_SCRATCH0 ESQ_REGISTER(0x4005800Cu)
#define WATCHDOG_SCRATCH1 ESQ_REGISTER(0x40058010u)

#define ROM_FUNCTION_TABLE 0x14u
#define ROM_TABLE_LOOKUP 0x18u
#define ROM_USB_BOOT ('U' | 'B' << 8)

void esq_port_init(void) {
    esq_rp2_start_clocks();
    esq_systick_start(ESQ_SYSTICK_CORE);
    esq_rp2_start_uart();
    esq_rp2_start_usb();
}

/* Datasheet 2.8.3, bootrom contents: a table of functions by two letters, what looks them up. */
void esq_rp2_to_bootloader(void) {
    typedef void *(*lookup)(const void *table, uint32_t code);
    typedef void (*reset_to_usb_boot)(uint32_t activity_pins, uint32_t disabled_interfaces);
    const uintptr_t table = esq_rp2_rom_pointer(ROM_FUNCTION_TABLE);
    lookup find = (lookup)esq_rp2_rom_pointer(ROM_TABLE_LOOKUP);
    reset_to_usb_boot reset = (reset_to_usb_boot)(uintptr_t)find((const void *)table, ROM_USB_BOOT);
    reset(0, 0);
}

uint32_t esq_port_ticks(void) { return esq_systick_ticks(); }

uint32_t esq_port_tick_hz(void) { return ESQ_TICK_HZ; }

/* The flash's, which the second stage has read; ones where the flash has none. */
void esq_rp2_id(uint32_t id[2]) {
    uint32_t high = WATCHDOG_SCRATCH0, low = WATCHDOG_SCRATCH1;
    int is_one = (high & low) != 0xFFFFFFFFu;
    id[0] = is_one ? high : 0;
    id[1] = is_one ? low : 0;
}
