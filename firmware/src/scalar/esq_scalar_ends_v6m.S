/* Ends of sums on Armv6-M. Contract: esq_scalar.h.
 *
 * Armv6-M multiplies 32 by 32 bits to the lower 32 only, so a product's upper half is made of four
 * products of halves. Every rounding is a shift whose last bit, left in the carry, ADCS adds.
 */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)

#include "../esq_function.inc"

/* struct esq_scalar_block */
    .equ ESQ_BLOCK_SUMS, 0
    .equ ESQ_BLOCK_BIAS, 4
    .equ ESQ_BLOCK_MULTIPLIER, 8
    .equ ESQ_BLOCK_SHIFT, 12
    .equ ESQ_BLOCK_CHANNELS, 16
    .equ ESQ_BLOCK_PIXELS, 20
    .equ ESQ_BLOCK_WIDTH, 24
    .equ ESQ_BLOCK_RESULT, 28
    .equ ESQ_BLOCK_PIXEL_BYTES, 32
    .equ ESQ_BLOCK_ZP, 36
    .equ ESQ_BLOCK_MIN, 40
    .equ ESQ_BLOCK_MAX, 44

/* Stack frame. */
    .equ ESQ_BLOCK, 0
    .equ ESQ_CHANNEL, 4         /* as an index of words */
    .equ ESQ_CHANNELS_END, 8
    .equ ESQ_SUMS_GAP, 12       /* bytes of a channel's sums that belong to no pixel */
    .equ ESQ_RESULTS, 16        /* bytes from a channel's first result to behind its last one */
    .equ ESQ_MIN, 20
    .equ ESQ_FRAME, 24

/* r0 sums, r1 result, r2 and r3 lower and upper half of the multiplier, r8 bias, r9 clamp_max,
 * r10 pixel_bytes, r11 zero point, r12 right shift, lr where the channel's results end. */

    .macro ESQ_ENTER name
    ESQ_FUNCTION \name
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    sub sp, sp, #ESQ_FRAME
    str r0, [sp, #ESQ_BLOCK]
    ldr r1, [r0, #ESQ_BLOCK_MAX]
    mov r9, r1
    ldr r1, [r0, #ESQ_BLOCK_MIN]
    str r1, [sp, #ESQ_MIN]
    ldr r1, [r0, #ESQ_BLOCK_ZP]
    mov r11, r1
    ldr r1, [r0, #ESQ_BLOCK_CHANNELS]
    lsls r1, r1, #2
    str r1, [sp, #ESQ_CHANNELS_END]
    ldr r1, [r0, #ESQ_BLOCK_PIXEL_BYTES]
    mov r10, r1
    ldr r2, [r0, #ESQ_BLOCK_PIXELS]
    muls r1, r2, r1
    str r1, [sp, #ESQ_RESULTS]
    ldr r1, [r0, #ESQ_BLOCK_WIDTH]
    subs r1, r1, r2
    lsls r1, r1, #2
    str r1, [sp, #ESQ_SUMS_GAP]
    movs r7, #0
    ldr r0, [r0, #ESQ_BLOCK_SUMS]
    .endm

/* A channel's bias, multiplier and where its results go; r7 its index of words. Leaves its right
 * shift in r6 and r12. */
    .macro ESQ_ENTER_CHANNEL
    str r7, [sp, #ESQ_CHANNEL]
    ldr r4, [sp, #ESQ_BLOCK]
    ldr r5, [r4, #ESQ_BLOCK_BIAS]
    ldr r5, [r5, r7]
    mov r8, r5
    ldr r5, [r4, #ESQ_BLOCK_MULTIPLIER]
    ldr r2, [r5, r7]
    lsrs r7, r7, #2
    ldr r1, [r4, #ESQ_BLOCK_RESULT]
    adds r1, r1, r7
    ldr r5, [sp, #ESQ_RESULTS]
    adds r5, r5, r1
    mov lr, r5
    ldr r5, [r4, #ESQ_BLOCK_SHIFT]
    ldrsb r6, [r5, r7]
    rsbs r6, r6, #0
    mov r12, r6
    .endm

    .macro ESQ_LEAVE_CHANNEL channel
    ldr r4, [sp, #ESQ_SUMS_GAP]
    adds r0, r0, r4
    ldr r7, [sp, #ESQ_CHANNEL]
    adds r7, r7, #4
    ldr r4, [sp, #ESQ_CHANNELS_END]
    cmp r7, r4
    beq 1f
    b \channel
1:
    .endm

    .macro ESQ_LEAVE name
    add sp, sp, #ESQ_FRAME
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
    .size \name, . - \name
    .endm

/* What is not positive becomes the zero point, all else is a product of natural numbers. */
    ESQ_ENTER esq_scalar_end_relu
.Lrelu_channel:
    ESQ_ENTER_CHANNEL
    lsrs r3, r2, #16
    uxth r2, r2
.Lrelu_pixel:
    ldmia r0!, {r4}
    add r4, r8
    cmp r4, #0
    ble .Lrelu_zero
    lsrs r6, r4, #16
    uxth r4, r4
    mov r5, r4
    muls r5, r2, r5
    lsrs r5, r5, #16
    muls r4, r3, r4
    adds r5, r5, r4
    mov r4, r6
    muls r4, r2, r4
    adds r5, r5, r4
    muls r6, r3, r6
    lsls r6, r6, #1
    lsrs r5, r5, #15
    adcs r5, r5, r6             /* value * multiplier / 2^31; clears the carry */
    mov r4, r12
    lsrs r5, r5, r4             /* a shift of 0 keeps it */
    mov r4, r11
    adcs r5, r5, r4
    cmp r5, r9
    bgt .Lrelu_most
.Lrelu_store:
    strb r5, [r1]
    add r1, r1, r10
    cmp r1, lr
    bne .Lrelu_pixel
    ESQ_LEAVE_CHANNEL .Lrelu_channel
    ESQ_LEAVE esq_scalar_end_relu

.Lrelu_zero:
    mov r5, r11
    b .Lrelu_store
.Lrelu_most:
    mov r5, r9
    b .Lrelu_store

/* round(r4 * multiplier / 2^31) in r5. The lower halves are taken as signed, which rounds the upper
 * ones, so that no sum of products leaves 32 bits. */
    .macro ESQ_HIGH
    asrs r6, r4, #16
    movs r5, #0
    adcs r6, r6, r5
    sxth r4, r4
    mov r5, r4
    muls r5, r2, r5
    asrs r5, r5, #16
    muls r4, r3, r4
    adds r5, r5, r4
    mov r4, r6
    muls r4, r2, r4
    adds r5, r5, r4
    muls r6, r3, r6
    lsls r6, r6, #1
    asrs r5, r5, #15
    adcs r5, r5, r6
    .endm

    .macro ESQ_CLAMP_AND_STORE name
    cmp r5, r9
    bgt .L\name\()_most
    ldr r4, [sp, #ESQ_MIN]
    cmp r5, r4
    blt .L\name\()_least
.L\name\()_store:
    strb r5, [r1]
    add r1, r1, r10
    cmp r1, lr
    bne .L\name\()_pixel
    b .Lany_leave
.L\name\()_most:
    mov r5, r9
    b .L\name\()_store
.L\name\()_least:
    movs r5, r4
    b .L\name\()_store
    .endm

    ESQ_ENTER esq_scalar_end_any
.Lany_channel:
    ESQ_ENTER_CHANNEL
    asrs r3, r2, #16
    movs r4, #0
    adcs r3, r3, r4
    sxth r2, r2
    cmp r6, #0
    ble .Lleft
.Lany_pixel:
    ldmia r0!, {r4}
    add r4, r8
    ESQ_HIGH
    mov r6, r12
    asrs r4, r5, #31            /* halves away from zero */
    adds r5, r5, r4
    asrs r5, r5, r6
    mov r6, r11
    adcs r5, r5, r6
    ESQ_CLAMP_AND_STORE any
.Lany_leave:
    ESQ_LEAVE_CHANNEL .Lany_channel
    ESQ_LEAVE esq_scalar_end_any

.Lleft:                         /* no shift, or one to the left */
    rsbs r6, r6, #0
    mov r12, r6
.Lleft_pixel:
    ldmia r0!, {r4}
    add r4, r8
    mov r5, r12
    lsls r4, r4, r5
    ESQ_HIGH
    add r5, r11
    ESQ_CLAMP_AND_STORE left

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
