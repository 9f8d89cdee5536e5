/* The ends of the scalar kernels on Armv7-M without the DSP extension (Cortex-M3): exact, 8
 * instructions per value and 20 per channel, for any zero point. Contract: esq_scalar.h.
 *
 * A channel whose shift or bias is out of the ordinary goes to C, and so do all where the clamp is
 * not the whole range of int8.
 */
#if defined(__ARM_ARCH_7M__)

#include "../esq_function.inc"

/* Stack frame of the ends, after the saved registers. */
    .equ ESQ_BLOCK, 0
    .equ ESQ_LIMIT, 4       /* of right shifts less 1; 0 where the clamp is not int8's range */
    .equ ESQ_ROUNDED_ZP, 8  /* 2 zp + 1 */
    .equ ESQ_SUMS_STEP, 12
    .equ ESQ_SHIFTS_END, 16
    .equ ESQ_PIXELS, 20     /* code of the first value */
    .equ ESQ_END_FRAME, 28  /* calls want 8 byte alignment */

    .equ ESQ_MOST_SHIFT, 22 /* a rounded sum below 2^30 and zp 2^shift fit a register */

/* The value of pixel i. Rounded(v multiplier / 2^31), halves up, is the upper half of
 * 2 v multiplier + 2^31. To that come zp 2^shift, half of 2^shift, and -1 where v is negative, so
 * that halves go away from zero. 32 bytes up to the store. */
    .macro ESQ_VALUE i
    ldr.w r12, [r4, #4 * \i]
    add.w r12, r10, r12, lsl #1
    mov.w r1, #0x80000000
    add.w lr, r11, r12, asr #31
    smlal r1, lr, r12, r2
    asr.w lr, lr, r3
    ssat lr, #8, lr
    .endm

    ESQ_FUNCTION esq_scalar_end_any
    push {r4-r11, lr}
    sub sp, #ESQ_END_FRAME
    str r0, [sp, #ESQ_BLOCK]
    ldrd r4, r5, [r0]                       /* sums, bias */
    ldrd r6, r7, [r0, #8]                   /* multiplier, shift */
    subs r6, r6, r5
    ldrd r8, r9, [r0, #28]                  /* result, pixel_bytes */
    ldrd r2, r3, [r0, #40]                  /* clamp_min, clamp_max */
    subs r3, r3, r2
    cmp r3, #255
    ite eq
    moveq r3, #ESQ_MOST_SHIFT
    movne r3, #0
    ldr r2, [r0, #36]                       /* output_zp */
    lsls r2, r2, #1
    adds r2, #1
    strd r3, r2, [sp, #ESQ_LIMIT]
    ldrd r2, r3, [r0, #16]                  /* channels, pixels */
    ldr r0, [r0, #24]                       /* width */
    add r2, r7
    lsls r0, r0, #2
    strd r0, r2, [sp, #ESQ_SUMS_STEP]
    rsb.w r3, r3, #4                        /* values jumped over */
    sub.w r4, r4, r3, lsl #2
    mls r8, r3, r9, r8
    adr.w r2, 2f + 1
    add.w r2, r2, r3, lsl #5
    str r2, [sp, #ESQ_PIXELS]
1:  ldr.w r2, [r5, r6]
    ldr.w r10, [r5], #4
    ldrsb.w r3, [r7], #1
    ldrd r0, r1, [sp, #ESQ_LIMIT]
    mvn.w r12, r3                           /* right shift less 1 */
    add.w r3, r10, #0x20000000
    cmp r12, r0
    it lo
    cmplo r3, #0x40000000                   /* sums are below 2^29 */
    bhs 4f
    lsl.w r11, r1, r12
    lsl.w r10, r10, #1
    add.w r3, r12, #1
    ldr.w pc, [sp, #ESQ_PIXELS]
    .balign 4
2:  ESQ_VALUE 0
    strb.w lr, [r8]
    ESQ_VALUE 1
    strb.w lr, [r8, r9]
    ESQ_VALUE 2
    strb.w lr, [r8, r9, lsl #1]
    ESQ_VALUE 3
    add.w r1, r9, r9, lsl #1
    strb.w lr, [r8, r1]
3:  ldrd r0, r1, [sp, #ESQ_SUMS_STEP]
    add.w r8, r8, #1
    add r4, r0
    cmp r7, r1
    bne 1b
    add sp, #ESQ_END_FRAME
    pop {r4-r11, pc}
4:  ldr r0, [sp, #ESQ_BLOCK]
    ldr r1, [r0, #12]
    subs r1, r7, r1
    subs r1, #1
    bl esq_scalar_end_channel
    b 3b
    .size esq_scalar_end_any, . - esq_scalar_end_any

    .global esq_scalar_end_relu
    .thumb_set esq_scalar_end_relu, esq_scalar_end_any

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
