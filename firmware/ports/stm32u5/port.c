/* STM32U575: 160 MHz from the internal 16 MHz oscillator, voltage range 1, instruction cache on. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "stm32.h"

#define RCC_CR ESQ_REGISTER(0x46020C00u)
#define RCC_CFGR1 ESQ_REGISTER(0x46020C1Cu)
#define RCC_PLL1CFGR ESQ_REGISTER(0x46020C28u)
#define RCC_PLL1DIVR ESQ_REGISTER(0x46020C34u)
#define RCC_AHB3ENR ESQ_REGISTER(0x46020C94u)
#define PWR_VOSR ESQ_REGISTER(0x4602080Cu)
#define FLASH_ACR ESQ_REGISTER(0x40022000u)
#define ICACHE_CR ESQ_REGISTER(0x40030400u)

#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_PLL1ON (1u << 24)
#define RCC_CR_PLL1RDY (1u << 25)
#define RCC_CFGR1_SW_PLL1 3u
#define RCC_CFGR1_SWS_MASK (3u << 2)
#define RCC_CFGR1_SWS_PLL1 (3u << 2)
#define RCC_AHB3ENR_PWREN (1u << 2)
#define PLL1CFGR_SOURCE_HSI 2u
#define PLL1CFGR_RANGE_8_16_MHZ (3u << 2)
#define PLL1CFGR_R_ON (1u << 18)
#define VOSR_RANGE_1 (3u << 16)
#define VOSR_RDY (1u << 15)
#define VOSR_BOOSTEN (1u << 18)
#define VOSR_BOOSTRDY (1u << 14)
#define ACR_4_WAIT_STATES 4u
#define ACR_PREFETCH (1u << 8)

/* The booster, which range 1 needs above 55 MHz, runs on the PLL's input: 16 MHz undivided. */
static int raise_voltage(void) {
    PWR_VOSR |= VOSR_RANGE_1;
    if (!esq_stm32_wait(&PWR_VOSR, VOSR_RDY, VOSR_RDY)) {
        return 0;
    }
    PWR_VOSR |= VOSR_BOOSTEN;
    return esq_stm32_wait(&PWR_VOSR, VOSR_BOOSTRDY, VOSR_BOOSTRDY);
}

/* HSI16 * 20 / 2 = 160 MHz, all buses the same. */
int esq_stm32_start_clocks(void) {
    ICACHE_CR |= 1u;
    RCC_AHB3ENR |= RCC_AHB3ENR_PWREN;
    (void)RCC_AHB3ENR;
    RCC_CR |= RCC_CR_HSION;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    RCC_PLL1CFGR = PLL1CFGR_SOURCE_HSI | PLL1CFGR_RANGE_8_16_MHZ | PLL1CFGR_R_ON;
    RCC_PLL1DIVR = (20u - 1u) | ((2u - 1u) << 9) | ((2u - 1u) << 16) | ((2u - 1u) << 24);
    if (!raise_voltage()) {
        return 0;
    }
    RCC_CR |= RCC_CR_PLL1ON;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY)) {
        return 0;
    }
    FLASH_ACR = ACR_4_WAIT_STATES | ACR_PREFETCH;
    RCC_CFGR1 |= RCC_CFGR1_SW_PLL1;
    return esq_stm32_wait(&RCC_CFGR1, RCC_CFGR1_SWS_MASK, RCC_CFGR1_SWS_PLL1);
}

void esq_stm32_start_ticks(void) { (void)esq_cycles_start(); }

uint32_t esq_port_ticks(void) { return esq_cycles(); }

uint32_t esq_port_tick_hz(void) { return esq_stm32_core_hz(); }
