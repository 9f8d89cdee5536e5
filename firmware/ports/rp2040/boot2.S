/* The second stage that the RP2040's ROM loads from the first 256 bytes of flash into its RAM,
 * checks by the CRC in the last word, and runs (datasheet 2.8.1.3). It makes the flash readable at
 * XIP_BASE and starts the program behind it. Its bytes are fixed, hence the CRC is too:
 * tests/boards/test_boot2.py computes it, and runs these bytes against pretended flashes.
 *
 * Quad reads (EBh, datasheet of the W25Q16JV) in continuous mode, at 62.5 MHz: 6 clocks of address,
 * 2 of mode, 4 of waiting and 8 of data for a word, instead of 64 by 03h. They need the flash's bit
 * QE (status register 2, bit 1), which is set where it is not. A flash that then does not answer
 * with this code's last word is read by 03h, which every flash has, at 31 MHz.
 *
 * The flash's unique id (4Bh) is left in the watchdog's first two scratch registers: it can be
 * asked for only while nothing is read from the flash. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot, "a"

    .equ ESQ_SSI_CTRLR0, 0x00 /* of SSI, 0x18000000 */
    .equ ESQ_SSI_CTRLR1, 0x04
    .equ ESQ_SSI_SSIENR, 0x08
    .equ ESQ_SSI_BAUDR, 0x14
    .equ ESQ_SSI_RXFLR, 0x24
    .equ ESQ_SSI_SR, 0x28
    .equ ESQ_SSI_DR0, 0x60
    .equ ESQ_SSI_RX_SAMPLE_DLY, 0xF0
    .equ ESQ_SSI_SPI_CTRLR0, 0x04 /* from RX_SAMPLE_DLY */
    .equ ESQ_SR_IDLE, 6 /* TFE, TFNF, not BUSY */
    .equ ESQ_SCRATCH0, 0x0C
    .equ ESQ_PAD_8_MA_FAST, 0x21
    .equ ESQ_PAD_SCHMITT, 2
    .equ ESQ_WRITE_STATUS, 0x01
    .equ ESQ_READ_STATUS, 0x05
    .equ ESQ_WRITE_ENABLE, 0x06
    .equ ESQ_READ_STATUS_2, 0x35
    .equ ESQ_READ_ID, 0x4B
    .equ ESQ_READ_QUAD, 0xEB
    .equ ESQ_MODE_CONTINUOUS, 0xA0

.Lboot2:
    movs r3, #0x18 /* SSI */
    lsls r3, #24
    movs r7, #ESQ_SSI_RX_SAMPLE_DLY
    add r7, r3
    ldr r0, .Lpads /* quick enough for 62.5 MHz: the clock driven harder, data not filtered */
    movs r1, #ESQ_PAD_8_MA_FAST
    str r1, [r0, #0x04]
    ldr r1, [r0, #0x08]
    movs r2, #ESQ_PAD_SCHMITT
    bics r1, r2
    str r1, [r0, #0x08]
    str r1, [r0, #0x0C]
    str r1, [r0, #0x10]
    str r1, [r0, #0x14]

    movs r6, #2 /* 125 MHz / 2 */
    movs r0, #7 /* bytes (DFS_32 at 16), sent and received (TMOD 0 at 8), on one wire */
    lsls r0, #16
    bl .Lset
    movs r0, #ESQ_READ_ID /* and 4 bytes of waiting, 8 of id */
    movs r1, #13
    bl .Lcommand
    ldr r0, .Lwatchdog
    str r5, [r0, #ESQ_SCRATCH0]
    str r4, [r0, #ESQ_SCRATCH0 + 4]
    movs r0, #ESQ_READ_STATUS_2
    bl .Lcommand_of_3
    lsls r4, #30
    bmi .Lquad
    movs r0, #ESQ_WRITE_ENABLE
    movs r1, #1
    bl .Lcommand
    movs r0, #2 /* status 1: 0, status 2: QE */
    lsls r0, #16
    adds r0, #ESQ_WRITE_STATUS
    bl .Lcommand_of_3
.Lwriting:
    movs r0, #ESQ_READ_STATUS
    bl .Lcommand_of_3
    lsls r4, #31
    bne .Lwriting

.Lquad: /* the first read says that those after it come without a command */
    ldr r0, .Lctrlr0_quad
    ldr r1, .Lspi_ctrlr0_first
    bl .Lset
    movs r2, #ESQ_READ_QUAD
    str r2, [r3, #ESQ_SSI_DR0]
    movs r2, #ESQ_MODE_CONTINUOUS /* address 0 above it */
    str r2, [r3, #ESQ_SSI_DR0]
.Lreading:
    ldr r2, [r3, #ESQ_SSI_RXFLR]
    cmp r2, #0
    beq .Lreading
    ldr r1, .Lspi_ctrlr0_quad
    bl .Lset
    movs r5, #0x13 /* the flash, past the cache */
    lsls r5, #24
    adds r5, #252
    ldr r2, [r5]
    ldr r4, .Lcrc
    cmp r2, r4
    beq .Lstart
    uxth r1, r1 /* mode 0 ends continuous reads */
    bl .Lset
    ldr r2, [r5]
    movs r6, #4 /* 03h allows 50 MHz */
    lsls r0, #10 /* one wire: without the upper bits of CTRLR0 */
    lsrs r0, #10
    ldr r1, .Lspi_ctrlr0_serial
    bl .Lset
.Lstart:
    ldr r0, .Lentry
    ldr r0, [r0]
    bx r0

/* Sends r1 bytes, those of r0 from the lowest up and zeros, as one command; the last eight that
 * came back are r5 and r4. */
.Lcommand_of_3:
    movs r1, #3
.Lcommand:
    movs r2, r1
.Lsend:
    str r0, [r3, #ESQ_SSI_DR0]
    lsrs r0, #8
    subs r1, #1
    bne .Lsend
.Lsending:
    ldr r0, [r3, #ESQ_SSI_SR]
    lsls r0, #29
    lsrs r0, #29
    cmp r0, #ESQ_SR_IDLE
    bne .Lsending
.Lreceive:
    lsls r5, #8
    lsrs r0, r4, #24
    orrs r5, r0
    lsls r4, #8
    ldr r0, [r3, #ESQ_SSI_DR0]
    orrs r4, r0
    subs r2, #1
    bne .Lreceive
    bx lr

/* Sets the interface up: CTRLR0 to r0, SPI_CTRLR0 to r1, the divider to r6; leaves them. */
.Lset:
    movs r2, #0
    str r2, [r3, #ESQ_SSI_SSIENR]
    str r2, [r3, #ESQ_SSI_CTRLR1]
    str r6, [r3, #ESQ_SSI_BAUDR]
    str r0, [r3, #ESQ_SSI_CTRLR0]
    str r1, [r7, #ESQ_SSI_SPI_CTRLR0]
    movs r2, #1
    str r2, [r7]
    str r2, [r3, #ESQ_SSI_SSIENR]
    bx lr

    .balign 4, 0
.Lpads:
    .word 0x40020000
.Lwatchdog:
    .word 0x40058000
.Lctrlr0_quad: /* SPI_FRF 2 (quad) at 21, DFS_32 31 (32 bits a frame) at 16, TMOD 3 (EEPROM read) */
    .word 0x005F0300
.Lspi_ctrlr0_first: /* WAIT_CYCLES 4 at 11, INST_L 2 (8 bits) at 8, ADDR_L 8 (32 bits) at 2, */
    .word 0x00002221 /* TRANS_TYPE 1: the command on one wire, the address on four */
.Lspi_ctrlr0_quad: /* XIP_CMD A0h (the mode) at 24, no command, TRANS_TYPE 2: all on four */
    .word 0xA0002022
.Lspi_ctrlr0_serial: /* XIP_CMD 03h at 24, INST_L 2 (8 bits) at 8, ADDR_L 6 (24 bits) at 2 */
    .word 0x03000218
.Lentry: /* in the vectors, which the linker script puts 512 bytes into the flash */
    .word 0x10000204

    .org .Lboot2 + 252
.Lcrc:
    .word 0x29C1112D /* CRC-32 of the 252 bytes: polynomial 04C11DB7, not reflected, from ~0 */
