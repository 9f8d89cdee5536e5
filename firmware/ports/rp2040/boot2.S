/* The second stage that the RP2040's ROM loads from the first 256 bytes of flash into its RAM,
 * checks by the CRC in the last word, and runs (datasheet 2.8.1.3): it makes the flash readable at
 * XIP_BASE, by the command 03h that every flash has, and starts the program behind it. Its bytes
 * are fixed, hence the CRC is too: tests/boards/test_boards.py computes it. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot, "a"

    .equ ESQ_SSI_CTRLR0, 0x00
    .equ ESQ_SSI_CTRLR1, 0x04
    .equ ESQ_SSI_SSIENR, 0x08
    .equ ESQ_SSI_BAUDR, 0x14

.Lboot2:
    ldr r3, .Lssi_base
    movs r0, #0
    str r0, [r3, #ESQ_SSI_SSIENR]
    movs r1, #4 /* 125 MHz / 4 = 31 MHz: 03h allows 50 */
    str r1, [r3, #ESQ_SSI_BAUDR]
    ldr r1, .Lctrlr0
    str r1, [r3, #ESQ_SSI_CTRLR0]
    str r0, [r3, #ESQ_SSI_CTRLR1]
    ldr r1, .Lspi_ctrlr0
    ldr r2, .Lspi_ctrlr0_at
    str r1, [r2]
    movs r0, #1
    str r0, [r3, #ESQ_SSI_SSIENR]
    ldr r0, .Lvectors
    ldr r1, [r0]
    msr msp, r1
    ldr r1, [r0, #4]
    bx r1

    .balign 4, 0
.Lssi_base:
    .word 0x18000000
.Lctrlr0: /* TMOD 3 (EEPROM read) at 8, DFS_32 31 (32 bits a frame) at 16 */
    .word 0x001F0300
.Lspi_ctrlr0: /* XIP_CMD 03h at 24, INST_L 2 (8 bits) at 8, ADDR_L 6 (24 bits) at 2 */
    .word 0x03000218
.Lspi_ctrlr0_at:
    .word 0x180000F4
.Lvectors: /* where the linker script puts them, 512 bytes into the flash */
    .word 0x10000200

    .org .Lboot2 + 252
    .word 0x2E6E043A /* CRC-32 of the 252 bytes: polynomial 04C11DB7, not reflected, from ~0 */
