/* The functions of esq_port.h over UART 0; choose another one here. */
#include "driver/uart.h"
#include "esp_err.h"
#include "esp_timer.h"
#include "esq_port.h"
#include "freertos/FreeRTOS.h"

#define LINE UART_NUM_0
#define RX_BYTES 2048
#define PAUSE_MS 50
#define DRAIN_MS 1000

static int waiting = -1; /* a byte that came while the program rested */

void esq_port_init(void) {
    const uart_config_t config = {
        .baud_rate = ESQ_BAUD_DEFAULT,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    ESP_ERROR_CHECK(uart_driver_install(LINE, RX_BYTES, 0, 0, NULL, 0));
    ESP_ERROR_CHECK(uart_param_config(LINE, &config));
}

int esq_port_read(void) {
    uint8_t byte;
    const int kept = waiting;
    if (kept >= 0) {
        waiting = -1;
        return kept;
    }
    return uart_read_bytes(LINE, &byte, 1, 0) == 1 ? byte : -1;
}

uint32_t esq_port_rx_bytes(void) { return RX_BYTES; }

void esq_port_write(const uint8_t *bytes, uint32_t n_bytes) {
    (void)uart_write_bytes(LINE, bytes, n_bytes);
}

static void rest(TickType_t ticks) {
    uint8_t byte;
    if (waiting < 0 && uart_read_bytes(LINE, &byte, 1, ticks) == 1) {
        waiting = byte;
    }
}

void esq_port_idle(void) { rest(portMAX_DELAY); }

void esq_port_pause(void) { rest(pdMS_TO_TICKS(PAUSE_MS)); }

/* The host tries what the line holds, and comes back where it does not. */
int esq_port_holds_baud(uint32_t baud) {
    (void)baud;
    return 1;
}

void esq_port_set_baud(uint32_t baud) {
    (void)uart_wait_tx_done(LINE, pdMS_TO_TICKS(DRAIN_MS));
    (void)uart_set_baudrate(LINE, baud);
}

uint32_t esq_port_stack_bytes(void) { return 0; }

uint32_t esq_port_cpuid(void) { return 0; }

uint32_t esq_port_ticks(void) { return (uint32_t)esp_timer_get_time(); }

uint32_t esq_port_tick_hz(void) { return 1000000; }
