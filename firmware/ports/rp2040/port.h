/* RP2040; register names as in its datasheet. */
#ifndef ESQ_RP2040_PORT_H
#define ESQ_RP2040_PORT_H

#define ESQ_UART_RX_IRQ 20u
#define ESQ_USB_IRQ 5u
#define ESQ_SYSTICK_HANDLER esq_systick_interrupt
#define ESQ_RESETS_BASE 0x4000C000u
#define ESQ_CLOCKS_BASE 0x40008000u
#define ESQ_CLK_USB 0x54u /* CLK_USB_CTRL */
#define ESQ_XOSC_BASE 0x40024000u
#define ESQ_PLL_SYS_BASE 0x40028000u
#define ESQ_PLL_USB_BASE 0x4002C000u
#define ESQ_IO_BANK0_BASE 0x40014000u
#define ESQ_PADS_BANK0_BASE 0x4001C000u
#define ESQ_UART0_BASE 0x40034000u

#define ESQ_RESET_IO_BANK0 (1u << 5)
#define ESQ_RESET_PADS_BANK0 (1u << 8)
#define ESQ_RESET_PLL_SYS (1u << 12)
#define ESQ_RESET_PLL_USB (1u << 13)
#define ESQ_RESET_UART0 (1u << 22)
#define ESQ_RESET_USBCTRL (1u << 24)

#define ESQ_PLL_POSTDIV1 6u /* 1500 / 6 / 2 = 125 MHz */

#define ESQ_USB_VENDOR 0x2E8Au
#define ESQ_USB_PRODUCT 0x000Au /* Pico SDK CDC UART (RP2040) */

#endif
