/* STM32L475: 80 MHz from the internal 16 MHz oscillator, in voltage range 1, which a reset leaves.
 *
 * QEMU has the RCC with the bits that say "ready", and the USARTs, but no cycle counter: there
 * SysTick counts eighths of the core's clock, a rate that no host takes for cycles. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "stm32.h"

#define RCC_CR ESQ_REGISTER(0x40021000u)
#define RCC_CFGR ESQ_REGISTER(0x40021008u)
#define RCC_PLLCFGR ESQ_REGISTER(0x4002100Cu)
#define FLASH_ACR ESQ_REGISTER(0x40022000u)

#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR_SW_PLL 3u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (3u << 2)
#define PLLCFGR_SOURCE_HSI 2u
#define PLLCFGR_R_ON (1u << 24)
#define ACR_4_WAIT_STATES 4u
#define ACR_PREFETCH_AND_CACHES (7u << 8)
#define SYSTICK_DIVIDER 8u

static uint8_t has_cycles;

/* HSI16 * 10 / 2 = 80 MHz, all buses the same. */
int esq_stm32_start_clocks(void) {
    RCC_CR |= RCC_CR_HSION;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    RCC_PLLCFGR = PLLCFGR_SOURCE_HSI | (10u << 8) | PLLCFGR_R_ON;
    RCC_CR |= RCC_CR_PLLON;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return 0;
    }
    FLASH_ACR = ACR_4_WAIT_STATES | ACR_PREFETCH_AND_CACHES;
    RCC_CFGR |= RCC_CFGR_SW_PLL;
    return esq_stm32_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

void esq_stm32_start_ticks(void) {
    has_cycles = esq_cycles_start() != 0;
    if (!has_cycles) {
        esq_systick_start(ESQ_SYSTICK_REFERENCE);
    }
}

uint32_t esq_port_ticks(void) { return has_cycles ? esq_cycles() : esq_systick_ticks(); }

uint32_t esq_port_tick_hz(void) {
    return has_cycles ? esq_stm32_core_hz() : esq_stm32_core_hz() / SYSTICK_DIVIDER;
}
