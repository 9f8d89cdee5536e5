/* STM32F4 and F2 from the internal oscillator. ESQ_PLL_N and ESQ_FLASH_WAIT_STATES come from the
 * target's TOML; 168 MHz needs no over-drive on any of them that reaches it.
 *
 * QEMU's boards have the USARTs and the timer, but no RCC and no cycle counter: there the PLL never
 * says that it is ready, and TIM2 counts 1 GHz before its prescaler. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "stm32.h"

#define TIMER_PRESCALER 8u

#define RCC_CR ESQ_REGISTER(0x40023800u)
#define RCC_PLLCFGR ESQ_REGISTER(0x40023804u)
#define RCC_CFGR ESQ_REGISTER(0x40023808u)
#define RCC_APB1ENR ESQ_REGISTER(0x40023840u)
#define FLASH_ACR ESQ_REGISTER(0x40023C00u)
#define TIM2_CR1 ESQ_REGISTER(0x40000000u)
#define TIM2_EGR ESQ_REGISTER(0x40000014u)
#define TIM2_CNT ESQ_REGISTER(0x40000024u)
#define TIM2_PSC ESQ_REGISTER(0x40000028u)
#define TIM2_ARR ESQ_REGISTER(0x4000002Cu)

#define RCC_CR_HSION 1u
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define PLLCFGR_RESERVED 0xF0000000u /* PLLR on the F446, which nothing here uses */
#define RCC_CFGR_SW_MASK 3u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_4 (5u << 10)
#define RCC_CFGR_PPRE2_2 (4u << 13)
#define FLASH_PREFETCH_AND_CACHES (7u << 8)

static uint8_t has_cycles;

/* Back to the oscillator: a bootloader may have left the core on the PLL. */
static void leave_pll(void) {
    RCC_CR |= RCC_CR_HSION;
    (void)esq_stm32_wait(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
    RCC_CFGR &= ~RCC_CFGR_SW_MASK;
    (void)esq_stm32_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, 0);
    RCC_CR &= ~RCC_CR_PLLON;
    (void)esq_stm32_wait(&RCC_CR, RCC_CR_PLLRDY, 0);
}

/* HSI / 16 * N / 2: the core and AHB; APB1 a quarter, APB2 half. */
int esq_stm32_start_clocks(void) {
    leave_pll();
    RCC_PLLCFGR = (RCC_PLLCFGR & PLLCFGR_RESERVED) | 16u | (ESQ_PLL_N << 6) | (7u << 24);
    RCC_CR |= RCC_CR_PLLON;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return 0;
    }
    FLASH_ACR = ESQ_FLASH_WAIT_STATES | FLASH_PREFETCH_AND_CACHES;
    RCC_CFGR |= RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
    return esq_stm32_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

static void start_timer(void) {
    RCC_APB1ENR |= 1u; /* TIM2 */
    (void)RCC_APB1ENR;
    TIM2_PSC = TIMER_PRESCALER - 1u;
    TIM2_ARR = 0xFFFFFFFFu;
    TIM2_EGR = 1u; /* takes the prescaler over */
    TIM2_CR1 = 1u;
}

void esq_stm32_start_ticks(void) {
    has_cycles = esq_cycles_start() != 0;
    if (!has_cycles) {
        start_timer();
    }
}

uint32_t esq_port_ticks(void) { return has_cycles ? esq_cycles() : TIM2_CNT; }

uint32_t esq_port_tick_hz(void) { return has_cycles ? esq_stm32_core_hz() : ESQ_TICK_HZ; }
