/* STM32F405: 168 MHz from the internal oscillator, USART1 on PA9 (TX) and PA10 (RX), TIM2.
 *
 * QEMU's netduinoplus2 has the USART and the timer, but no RCC: there the PLL never says that it is
 * ready, and TIM2 counts 1 GHz before its prescaler. */
#include "port.h"

#include "cortex_m.h"
#include "esq_port.h"

#define HSI_HZ 16000000u
#define APB2_HZ 84000000u /* behind the PLL */
#define TIMER_HZ 84000000u
#define TIMER_PRESCALER 8u
#define READY_POLLS 10000u

#define RCC_CR ESQ_REGISTER(0x40023800u)
#define RCC_PLLCFGR ESQ_REGISTER(0x40023804u)
#define RCC_CFGR ESQ_REGISTER(0x40023808u)
#define RCC_AHB1ENR ESQ_REGISTER(0x40023830u)
#define RCC_APB1ENR ESQ_REGISTER(0x40023840u)
#define RCC_APB2ENR ESQ_REGISTER(0x40023844u)
#define FLASH_ACR ESQ_REGISTER(0x40023C00u)
#define GPIOA_MODER ESQ_REGISTER(0x40020000u)
#define GPIOA_PUPDR ESQ_REGISTER(0x4002000Cu)
#define GPIOA_AFRH ESQ_REGISTER(0x40020024u)
#define USART1_SR ESQ_REGISTER(0x40011000u)
#define USART1_DR ESQ_REGISTER(0x40011004u)
#define USART1_BRR ESQ_REGISTER(0x40011008u)
#define USART1_CR1 ESQ_REGISTER(0x4001100Cu)
#define TIM2_CR1 ESQ_REGISTER(0x40000000u)
#define TIM2_EGR ESQ_REGISTER(0x40000014u)
#define TIM2_CNT ESQ_REGISTER(0x40000024u)
#define TIM2_PSC ESQ_REGISTER(0x40000028u)
#define TIM2_ARR ESQ_REGISTER(0x4000002Cu)

#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SW_MASK 3u
#define RCC_CFGR_PPRE1_4 (5u << 10)
#define RCC_CFGR_PPRE2_2 (4u << 13)
#define SR_ORE (1u << 3)
#define SR_RXNE (1u << 5)
#define SR_TC (1u << 6)
#define SR_TXE (1u << 7)
#define CR1_UE_RXNEIE_TE_RE 0x202Cu

static uint8_t has_pll;

/* HSI / 16 * 336 / 2 = 168 MHz, AHB the same, APB1 42 MHz, APB2 84 MHz. */
static void start_clocks(void) {
    RCC_PLLCFGR = 16u | (336u << 6) | (7u << 24);
    RCC_CR |= RCC_CR_PLLON;
    for (uint32_t i = 0; i < READY_POLLS && !has_pll; i++) {
        has_pll = (RCC_CR & RCC_CR_PLLRDY) != 0;
    }
    if (!has_pll) {
        return;
    }
    FLASH_ACR = 5u | (7u << 8); /* 5 wait states, prefetch, both caches */
    RCC_CFGR |= RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
}

static uint32_t uart_clock_hz(void) { return has_pll ? APB2_HZ : HSI_HZ; }

static void start_uart(void) {
    RCC_AHB1ENR |= 1u;      /* GPIOA */
    RCC_APB2ENR |= 1u << 4; /* USART1 */
    GPIOA_MODER = (GPIOA_MODER & ~(0xFu << 18)) | (0xAu << 18);  /* PA9, PA10: alternate */
    GPIOA_AFRH = (GPIOA_AFRH & ~(0xFFu << 4)) | (0x77u << 4);    /* AF7 */
    GPIOA_PUPDR = (GPIOA_PUPDR & ~(3u << 20)) | (1u << 20);      /* an open RX reads idle */
    USART1_BRR = esq_baud_divisor(uart_clock_hz(), ESQ_BAUD_DEFAULT);
    USART1_CR1 = CR1_UE_RXNEIE_TE_RE;
    esq_irq_enable(ESQ_UART_RX_IRQ);
}

void esq_port_init(void) {
    start_clocks();
    RCC_APB1ENR |= 1u; /* TIM2 */
    TIM2_PSC = TIMER_PRESCALER - 1u;
    TIM2_ARR = 0xFFFFFFFFu;
    TIM2_EGR = 1u; /* takes the prescaler over */
    TIM2_CR1 = 1u;
    start_uart();
}

void esq_rx_interrupt(void) {
    uint32_t status = USART1_SR;
    while (status & (SR_RXNE | SR_ORE)) { /* reading SR, then DR, clears both */
        uint8_t byte = (uint8_t)USART1_DR;
        if (status & SR_RXNE) {
            esq_ring_put(byte);
        }
        status = USART1_SR;
    }
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t start = esq_port_ticks();
    for (uint32_t i = 0; i < n_bytes; i++) {
        while (!(USART1_SR & SR_TXE)) {
            if (esq_port_ticks() - start > esq_port_tick_hz()) {
                return;
            }
        }
        USART1_DR = bytes[i];
    }
}

int esq_port_holds_baud(uint32_t baud) { return esq_baud_divisor(uart_clock_hz(), baud) != 0; }

void esq_port_set_baud(uint32_t baud) {
    uint32_t start = esq_port_ticks();
    while (!(USART1_SR & SR_TC) && esq_port_ticks() - start <= esq_port_tick_hz()) {
    }
    USART1_BRR = esq_baud_divisor(uart_clock_hz(), baud);
}

uint32_t esq_port_ticks(void) { return TIM2_CNT; }

uint32_t esq_port_tick_hz(void) {
    return has_pll ? TIMER_HZ / TIMER_PRESCALER : ESQ_TICK_HZ;
}
