/* Crystal of 12 MHz to PLL to core, as the RP2040 and RP2350 datasheets have it. */
#include "rp2.h"

#include "cortex_m.h"
#include "port.h"

#define READY_POLLS 1000000u

#define RESETS_RESET ESQ_REGISTER(ESQ_RESETS_BASE + 0x0u)
#define RESETS_DONE ESQ_REGISTER(ESQ_RESETS_BASE + 0x8u)
#define XOSC_CTRL ESQ_REGISTER(ESQ_XOSC_BASE + 0x0u)
#define XOSC_STATUS ESQ_REGISTER(ESQ_XOSC_BASE + 0x4u)
#define XOSC_STARTUP ESQ_REGISTER(ESQ_XOSC_BASE + 0xCu)
#define PLL_CS(base) ESQ_REGISTER((base) + 0x0u)
#define PLL_PWR(base) ESQ_REGISTER((base) + 0x4u)
#define PLL_FBDIV(base) ESQ_REGISTER((base) + 0x8u)
#define PLL_PRIM(base) ESQ_REGISTER((base) + 0xCu)
#define CLK_REF_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x30u)
#define CLK_REF_SELECTED ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x38u)
#define CLK_SYS_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x3Cu)
#define CLK_SYS_SELECTED ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x44u)
#define CLK_PERI_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x48u)
#define CLK_USB_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + ESQ_CLK_USB)

#define XOSC_ENABLE_1_15_MHZ ((0xFABu << 12) | 0xAA0u)
#define XOSC_4_MS 188u /* times 256 cycles of 12 MHz */
#define STABLE (1u << 31)
#define LOCK (1u << 31)
#define PWR_DSMPD (1u << 2)
#define PWR_POSTDIVPD (1u << 3)
#define REF_FROM_XOSC 2u
#define SYS_FROM_REF 0u
#define SYS_FROM_PLL 1u
#define CLOCK_ENABLE (1u << 11)
#define DIVIDERS(first, second) ((first) << 16 | (second) << 12)

static void wait_for(volatile uint32_t *where, uint32_t bits) {
    for (uint32_t i = 0; i < READY_POLLS && (*where & bits) != bits; i++) {
    }
}

void esq_rp2_reset(uint32_t bits) {
    RESETS_RESET |= bits;
    esq_rp2_unreset(bits);
}

void esq_rp2_unreset(uint32_t bits) {
    RESETS_RESET &= ~bits;
    wait_for(&RESETS_DONE, bits);
}

/* 12 MHz * `feedback`, of 750 to 1600 MHz, then two dividers. */
static void start_pll(uint32_t base, uint32_t reset, uint32_t feedback, uint32_t dividers) {
    esq_rp2_reset(reset);
    PLL_CS(base) = 1u; /* REFDIV */
    PLL_FBDIV(base) = feedback;
    PLL_PWR(base) = PWR_DSMPD | PWR_POSTDIVPD; /* VCO on */
    wait_for(&PLL_CS(base), LOCK);
    PLL_PRIM(base) = dividers;
    PLL_PWR(base) = PWR_DSMPD;
}

/* 12 MHz * 100 / 5 / 5 = 48 MHz. */
static void start_usb_clock(void) {
    CLK_USB_CTRL = 0;
    start_pll(ESQ_PLL_USB_BASE, ESQ_RESET_PLL_USB, 100u, DIVIDERS(5u, 5u));
    CLK_USB_CTRL = CLOCK_ENABLE; /* AUXSRC 0 is the USB PLL */
}

void esq_rp2_start_clocks(void) {
    XOSC_STARTUP = XOSC_4_MS;
    XOSC_CTRL = XOSC_ENABLE_1_15_MHZ;
    wait_for(&XOSC_STATUS, STABLE);
    CLK_SYS_CTRL = SYS_FROM_REF;
    wait_for(&CLK_SYS_SELECTED, 1u << SYS_FROM_REF);
    CLK_REF_CTRL = REF_FROM_XOSC;
    wait_for(&CLK_REF_SELECTED, 1u << REF_FROM_XOSC);
    start_pll(ESQ_PLL_SYS_BASE, ESQ_RESET_PLL_SYS, 125u, DIVIDERS(ESQ_PLL_POSTDIV1, 2u));
    CLK_SYS_CTRL = SYS_FROM_PLL; /* AUXSRC 0 is the system PLL */
    wait_for(&CLK_SYS_SELECTED, 1u << SYS_FROM_PLL);
    CLK_PERI_CTRL = CLOCK_ENABLE; /* AUXSRC 0 is the core's clock */
    start_usb_clock();
}
