/* RP2350; register names as in its datasheet. */
#ifndef ESQ_RP2350_PORT_H
#define ESQ_RP2350_PORT_H

#define ESQ_UART_RX_IRQ 33u
#define ESQ_USB_IRQ 14u
#define ESQ_RESETS_BASE 0x40020000u
#define ESQ_CLOCKS_BASE 0x40010000u
#define ESQ_CLK_USB 0x60u /* CLK_USB_CTRL */
#define ESQ_XOSC_BASE 0x40048000u
#define ESQ_PLL_SYS_BASE 0x40050000u
#define ESQ_PLL_USB_BASE 0x40058000u
#define ESQ_IO_BANK0_BASE 0x40028000u
#define ESQ_PADS_BANK0_BASE 0x40038000u
#define ESQ_UART0_BASE 0x40070000u

#define ESQ_RESET_IO_BANK0 (1u << 6)
#define ESQ_RESET_PADS_BANK0 (1u << 9)
#define ESQ_RESET_PLL_SYS (1u << 14)
#define ESQ_RESET_PLL_USB (1u << 15)
#define ESQ_RESET_UART0 (1u << 26)
#define ESQ_RESET_USBCTRL (1u << 28)

#define ESQ_PLL_POSTDIV1 5u /* 1500 / 5 / 2 = 150 MHz */

#define ESQ_USB_VENDOR 0x2E8Au
#define ESQ_USB_PRODUCT 0x0009u /* Pico SDK CDC UART */

#endif
