/* Ticks counted by SysTick, which every Cortex-M has but some Cortex-M0: 24 bits, downwards. */
#include "cortex_m.h"

#define SYST_CSR ESQ_REGISTER(0xE000E010u)
#define SYST_RVR ESQ_REGISTER(0xE000E014u)
#define SYST_CVR ESQ_REGISTER(0xE000E018u)
#define SCB_ICSR ESQ_REGISTER(0xE000ED04u)

#define CSR_ON 3u /* ENABLE, TICKINT; CLKSOURCE is the caller's */
#define ICSR_PENDSTSET (1u << 26)
#define MOST 0xFFFFFFu
#define BITS 24u

static volatile uint32_t wraps;

void esq_systick_start(uint32_t clock) {
    SYST_RVR = MOST;
    SYST_CVR = 0; /* any value: begins anew */
    SYST_CSR = CSR_ON | clock;
}

void esq_systick_interrupt(void) { wraps++; }

uint32_t esq_systick_ticks(void) {
    uint32_t before, left, waits;
    do { /* again where the interrupt came in between */
        before = wraps;
        left = SYST_CVR;
        waits = SCB_ICSR & ICSR_PENDSTSET;
    } while (wraps != before);
    /* Where interrupts are masked or another one is served, a wrap waits to be counted. */
    uint32_t counted = before + (waits && left > MOST / 2u ? 1u : 0u);
    return (counted << BITS) + (MOST - left);
}
