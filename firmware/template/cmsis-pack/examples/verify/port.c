/* The functions of esq_port.h over a USART of CMSIS-Driver, whose number stands here. */
#include "Driver_USART.h"
#include "RTE_Components.h"
#include CMSIS_device_header

#include "cortex_m.h"
#include "esq_port.h"

#define ESQ_USART_NUMBER 0

#define JOINED(name, number) name##number
#define DRIVER(number) JOINED(Driver_USART, number)
#define MODE                                                                                       \
    (ARM_USART_MODE_ASYNCHRONOUS | ARM_USART_DATA_BITS_8 | ARM_USART_PARITY_NONE |                 \
     ARM_USART_STOP_BITS_1 | ARM_USART_FLOW_CONTROL_NONE)

extern ARM_DRIVER_USART DRIVER(ESQ_USART_NUMBER);
static ARM_DRIVER_USART *const usart = &DRIVER(ESQ_USART_NUMBER);
static uint8_t coming;
static int counts_cycles;

/* A byte at a time: what came is then known with every driver, with or without DMA. */
static void on_event(uint32_t event) {
    if (event & ARM_USART_EVENT_RECEIVE_COMPLETE) {
        esq_ring_put(coming);
        (void)usart->Receive(&coming, 1);
    }
}

static void start_at(uint32_t baud) {
    (void)usart->Control(MODE, baud);
    (void)usart->Control(ARM_USART_CONTROL_TX, 1);
    (void)usart->Control(ARM_USART_CONTROL_RX, 1);
    (void)usart->Receive(&coming, 1);
}

void esq_port_init(void) {
    SystemCoreClockUpdate();
    counts_cycles = esq_cycles_start();
    (void)usart->Initialize(on_event);
    (void)usart->PowerControl(ARM_POWER_FULL);
    start_at(ESQ_BAUD_DEFAULT);
}

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    if (usart->Send(bytes, n_bytes) == ARM_DRIVER_OK) {
        while (usart->GetStatus().tx_busy) {
        }
    }
}

void esq_port_idle(void) {
    __disable_irq(); /* none between the look and WFI */
    if (esq_ring_is_empty()) {
        __WFI();
    }
    __enable_irq();
}

void esq_port_pause(void) {}

/* The host tries what the line holds, and comes back where it does not. */
int esq_port_holds_baud(uint32_t baud) {
    (void)baud;
    return 1;
}

void esq_port_set_baud(uint32_t baud) {
    (void)usart->Control(ARM_USART_ABORT_RECEIVE, 0);
    start_at(baud);
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) { return SCB->CPUID; }

uint32_t esq_port_ticks(void) { return counts_cycles ? esq_cycles() : 0; }

/* 0 where the core has no cycle counter: the host leaves times out. */
uint32_t esq_port_tick_hz(void) { return counts_cycles ? SystemCoreClock : 0; }
