/* STM32H743: 400 MHz from the internal oscillator, which every revision of the chip takes at VOS1
 * (480 MHz is for revision V alone); supplied by the LDO, as on the NUCLEO; both caches on. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"
#include "stm32.h"

#define RCC_CR ESQ_REGISTER(0x58024400u)
#define RCC_CFGR ESQ_REGISTER(0x58024410u)
#define RCC_D1CFGR ESQ_REGISTER(0x58024418u)
#define RCC_D2CFGR ESQ_REGISTER(0x5802441Cu)
#define RCC_D3CFGR ESQ_REGISTER(0x58024420u)
#define RCC_PLLCKSELR ESQ_REGISTER(0x58024428u)
#define RCC_PLLCFGR ESQ_REGISTER(0x5802442Cu)
#define RCC_PLL1DIVR ESQ_REGISTER(0x58024430u)
#define PWR_CSR1 ESQ_REGISTER(0x58024804u)
#define PWR_CR3 ESQ_REGISTER(0x5802480Cu)
#define PWR_D3CR ESQ_REGISTER(0x58024818u)
#define FLASH_ACR ESQ_REGISTER(0x52002000u)

#define RCC_CR_PLL1ON (1u << 24)
#define RCC_CR_PLL1RDY (1u << 25)
#define RCC_CFGR_SW_MASK 7u
#define RCC_CFGR_SW_PLL1 3u
#define RCC_CFGR_SWS_MASK (7u << 3)
#define RCC_CFGR_SWS_PLL1 (3u << 3)
#define D1CFGR_HPRE_2 8u
#define D1CFGR_D1PPRE_2 (4u << 4)
#define D2CFGR_D2PPRE1_D2PPRE2_2 ((4u << 4) | (4u << 8))
#define D3CFGR_D3PPRE_2 (4u << 4)
#define PLLCKSELR_DIVM1_MASK (0x3Fu << 4)
#define PLLCFGR_PLL1_MASK ((3u << 2) | (1u << 1) | 1u)
#define PLLCFGR_PLL1RGE_8_16_MHZ (3u << 2)
#define PLLCFGR_DIVP1EN (1u << 16)
#define PWR_CR3_SUPPLY_MASK 7u
#define PWR_CR3_LDOEN 2u
#define PWR_CSR1_ACTVOSRDY (1u << 13)
#define PWR_D3CR_VOS1 (3u << 14)
#define PWR_D3CR_VOSRDY (1u << 13)
#define ACR_2_WAIT_STATES 2u
#define ACR_WRHIGHFREQ_2 (2u << 4)

/* RM0433, system supply start-up: the first write to PWR_CR3 settles the supply;
 * before it the voltage is fixed. */
static int raise_voltage(void) {
    PWR_CR3 = (PWR_CR3 & ~PWR_CR3_SUPPLY_MASK) | PWR_CR3_LDOEN;
    if (!esq_stm32_wait(&PWR_CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY)) {
        return 0;
    }
    PWR_D3CR |= PWR_D3CR_VOS1;
    return esq_stm32_wait(&PWR_D3CR, PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY);
}

/* HSI / 4 * 50 / 2 = 400 MHz; AXI and AHB 200 MHz, every APB 100 MHz. */
int esq_stm32_start_clocks(void) {
    esq_caches_start();
    if (!raise_voltage()) {
        return 0;
    }
    RCC_PLLCKSELR = (RCC_PLLCKSELR & ~(PLLCKSELR_DIVM1_MASK | 3u)) | (4u << 4);
    RCC_PLLCFGR = (RCC_PLLCFGR & ~PLLCFGR_PLL1_MASK) | PLLCFGR_PLL1RGE_8_16_MHZ | PLLCFGR_DIVP1EN;
    RCC_PLL1DIVR = (50u - 1u) | ((2u - 1u) << 9) | ((4u - 1u) << 16) | ((2u - 1u) << 24);
    RCC_CR |= RCC_CR_PLL1ON;
    if (!esq_stm32_wait(&RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY)) {
        return 0;
    }
    FLASH_ACR = ACR_2_WAIT_STATES | ACR_WRHIGHFREQ_2;
    RCC_D1CFGR = D1CFGR_HPRE_2 | D1CFGR_D1PPRE_2;
    RCC_D2CFGR = D2CFGR_D2PPRE1_D2PPRE2_2;
    RCC_D3CFGR = D3CFGR_D3PPRE_2;
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL1;
    return esq_stm32_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL1);
}

void esq_stm32_start_ticks(void) { (void)esq_cycles_start(); }

uint32_t esq_port_ticks(void) { return esq_cycles(); }

uint32_t esq_port_tick_hz(void) { return esq_stm32_core_hz(); }
