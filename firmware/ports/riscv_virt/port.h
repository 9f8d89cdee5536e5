/* QEMU's machine `virt`: addresses and interrupt of its hw/riscv/virt.c. */
#ifndef ESQ_RISCV_VIRT_PORT_H
#define ESQ_RISCV_VIRT_PORT_H

#define ESQ_UART_BASE 0x10000000u
#define ESQ_UART_RX_IRQ 10u
#define ESQ_UART_CLOCK_HZ 3686400u
#define ESQ_PLIC_BASE 0x0C000000u

#endif
