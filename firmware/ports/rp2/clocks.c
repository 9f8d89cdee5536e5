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
#define PLL_CS ESQ_REGISTER(ESQ_PLL_SYS_BASE + 0x0u)
#define PLL_PWR ESQ_REGISTER(ESQ_PLL_SYS_BASE + 0x4u)
#define PLL_FBDIV ESQ_REGISTER(ESQ_PLL_SYS_BASE + 0x8u)
#define PLL_PRIM ESQ_REGISTER(ESQ_PLL_SYS_BASE + 0xCu)
#define CLK_REF_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x30u)
#define CLK_REF_SELECTED ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x38u)
#define CLK_SYS_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x3Cu)
#define CLK_SYS_SELECTED ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x44u)
#define CLK_PERI_CTRL ESQ_REGISTER(ESQ_CLOCKS_BASE + 0x48u)

#define XOSC_ENABLE_1_15_MHZ ((0xFABu << 12) | 0xAA0u)
#define XOSC_4_MS 188u /* times 256 cycles of 12 MHz */
#define STABLE (1u << 31)
#define LOCK (1u << 31)
#define PWR_DSMPD (1u << 2)
#define PWR_POSTDIVPD (1u << 3)
#define REF_FROM_XOSC 2u
#define SYS_FROM_REF 0u
#define SYS_FROM_PLL 1u
#define PERI_FROM_SYS (1u << 11) /* ENABLE, AUXSRC 0 */

static void wait_for(volatile uint32_t *where, uint32_t bits) {
    for (uint32_t i = 0; i < READY_POLLS && (*where & bits) != bits; i++) {
    }
}

void esq_rp2_unreset(uint32_t bits) {
    RESETS_RESET &= ~bits;
    wait_for(&RESETS_DONE, bits);
}

/* 12 MHz * 125 = 1500 MHz, then two dividers. */
static void start_pll(void) {
    RESETS_RESET |= ESQ_RESET_PLL_SYS;
    esq_rp2_unreset(ESQ_RESET_PLL_SYS);
    PLL_CS = 1u; /* REFDIV */
    PLL_FBDIV = 125u;
    PLL_PWR = PWR_DSMPD | PWR_POSTDIVPD; /* VCO on */
    wait_for(&PLL_CS, LOCK);
    PLL_PRIM = (ESQ_PLL_POSTDIV1 << 16) | (2u << 12);
    PLL_PWR = PWR_DSMPD;
}

void esq_rp2_start_clocks(void) {
    XOSC_STARTUP = XOSC_4_MS;
    XOSC_CTRL = XOSC_ENABLE_1_15_MHZ;
    wait_for(&XOSC_STATUS, STABLE);
    CLK_SYS_CTRL = SYS_FROM_REF;
    wait_for(&CLK_SYS_SELECTED, 1u << SYS_FROM_REF);
    CLK_REF_CTRL = REF_FROM_XOSC;
    wait_for(&CLK_REF_SELECTED, 1u << REF_FROM_XOSC);
    start_pll();
    CLK_SYS_CTRL = SYS_FROM_PLL; /* AUXSRC 0 is the system PLL */
    wait_for(&CLK_SYS_SELECTED, 1u << SYS_FROM_PLL);
    CLK_PERI_CTRL = PERI_FROM_SYS;
}
