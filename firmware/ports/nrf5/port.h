/* nRF51 and nRF52; register names as in Nordic's product specifications. */
#ifndef ESQ_NRF5_PORT_H
#define ESQ_NRF5_PORT_H

#define ESQ_UART_RX_IRQ 2u /* UART0, on the nRF52 shared with UARTE0 */

#endif
