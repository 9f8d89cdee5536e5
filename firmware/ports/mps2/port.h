/* ESQ_UART_RX_IRQ and all bases come from the target's TOML: one port for four FPGA images. */
#ifndef ESQ_UART_RX_IRQ
#error "ESQ_UART_RX_IRQ is not defined: compile with the target's defines"
#endif
