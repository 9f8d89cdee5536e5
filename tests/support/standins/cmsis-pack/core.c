/* A device as a process: its USART is standard input and output, whose end ends the program. The
 * interrupt comes where the program would rest. */
#include <stdlib.h>
#include <unistd.h>

#include "Driver_USART.h"
#include "cortex_m.h"
#include "device.h"

static struct standin_scb registers;
static ARM_USART_SignalEvent_t on_event;
static uint8_t *wanted;
static int is_on;

struct standin_scb *SCB = &registers;
uint32_t SystemCoreClock = 1000000;

void SystemCoreClockUpdate(void) {}
void __disable_irq(void) {}
void __enable_irq(void) {}

/* Every byte that is there, so that the ring is used; the first is waited for. */
void __WFI(void) {
    uint8_t bytes[256];
    const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n <= 0) {
        exit(0);
    }
    for (ssize_t i = 0; i < n; i++) {
        uint8_t *to = wanted;
        if (to == NULL || !is_on) {
            exit(2); /* a byte is lost */
        }
        wanted = NULL;
        *to = bytes[i];
        on_event(ARM_USART_EVENT_RECEIVE_COMPLETE);
    }
}

int esq_cycles_start(void) { return 1; }

uint32_t esq_cycles(void) {
    static uint32_t cycles;
    return cycles += 1000;
}

static int32_t initialize(ARM_USART_SignalEvent_t cb_event) {
    on_event = cb_event;
    return ARM_DRIVER_OK;
}

static int32_t power(ARM_POWER_STATE state) {
    is_on = state == ARM_POWER_FULL;
    return ARM_DRIVER_OK;
}

static int32_t send(const void *data, uint32_t num) {
    return write(STDOUT_FILENO, data, num) == (ssize_t)num ? ARM_DRIVER_OK : -1;
}

static int32_t receive(void *data, uint32_t num) {
    wanted = num == 1 ? data : NULL;
    return ARM_DRIVER_OK;
}

static int32_t control(uint32_t what, uint32_t arg) {
    (void)what;
    (void)arg;
    return ARM_DRIVER_OK;
}

static ARM_USART_STATUS status(void) {
    const ARM_USART_STATUS none = {0, 0};
    return none;
}

ARM_DRIVER_USART Driver_USART0 = {initialize, power, send, receive, control, status};
