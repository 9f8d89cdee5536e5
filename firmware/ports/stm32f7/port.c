/* STM32F746: 216 MHz from the internal oscillator, with over-drive; both caches on. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "stm32.h"

#define RCC_CR ESQ_REGISTER(0x40023800u)
#define RCC_PLLCFGR ESQ_REGISTER(0x40023804u)
#define RCC_CFGR ESQ_REGISTER(0x40023808u)
#define RCC_APB1ENR ESQ_REGISTER(0x40023840u)
#define PWR_CR1 ESQ_REGISTER(0x40007000u)
#define PWR_CSR1 ESQ_REGISTER(0x40007004u)
#define FLASH_ACR ESQ_REGISTER(0x40023C00u)

#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define PLLCFGR_RESERVED 0xF0000000u
#define RCC_CFGR_SW_MASK 3u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_4 (5u << 10)
#define RCC_CFGR_PPRE2_2 (4u << 13)
#define RCC_APB1ENR_PWREN (1u << 28)
#define PWR_OVERDRIVE (1u << 16)        /* ODEN in CR1, ODRDY in CSR1 */
#define PWR_OVERDRIVE_SWITCH (1u << 17) /* ODSWEN, ODSWRDY */
#define ACR_7_WAIT_STATES 7u
#define ACR_PREFETCH_AND_ART (3u << 8)

/* RM0385, entering over-drive: the PLL on, then over-drive, then its switch, and last the core. */
static int start_overdrive(void) {
    RCC_APB1ENR |= RCC_APB1ENR_PWREN;
    (void)RCC_APB1ENR;
    PWR_CR1 |= PWR_OVERDRIVE;
    if (!esq_stm32_wait(&PWR_CSR1, PWR_OVERDRIVE, PWR_OVERDRIVE)) {
        return 0;
    }
    PWR_CR1 |= PWR_OVERDRIVE_SWITCH;
    return esq_stm32_wait(&PWR_CSR1, PWR_OVERDRIVE_SWITCH, PWR_OVERDRIVE_SWITCH);
}

/* HSI / 16 * 432 / 2 = 216 MHz, AHB the same, APB1 54 MHz, APB2 108 MHz. */
int esq_stm32_start_clocks(void) {
    esq_caches_start();
    RCC_PLLCFGR = (RCC_PLLCFGR & PLLCFGR_RESERVED) | 16u | (432u << 6) | (9u << 24);
    RCC_CR |= RCC_CR_PLLON;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY) || !start_overdrive()) {
        return 0;
    }
    FLASH_ACR = ACR_7_WAIT_STATES | ACR_PREFETCH_AND_ART;
    RCC_CFGR |= RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
    return esq_stm32_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

void esq_stm32_start_ticks(void) { (void)esq_cycles_start(); }

uint32_t esq_port_ticks(void) { return esq_cycles(); }

uint32_t esq_port_tick_hz(void) { return esq_stm32_core_hz(); }
