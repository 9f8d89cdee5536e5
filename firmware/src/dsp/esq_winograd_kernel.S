/* The inner loop of esq_winograd_dsp.c. Four channels times one tile: per two steps 3 loads and 8
 * SMLAD for 16 products, each worth 2 MACs of the convolution: 0.36 instructions per MAC with the
 * loop.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

    .equ ESQ_GAP, 48                 /* below it: 2 words, and the 10 saved registers */

    .macro ESQ_TWO_STEPS
    ldrd r2, r3, [r0], #8
    ldmia.w r1!, {r10, r11, r12, lr}
    smlad r6, r10, r2, r6
    smlad r7, r11, r2, r7
    smlad r8, r12, r2, r8
    smlad r9, lr, r2, r9
    ldmia.w r1!, {r10, r11, r12, lr}
    smlad r6, r10, r3, r6
    smlad r7, r11, r3, r7
    smlad r8, r12, r3, r8
    smlad r9, lr, r3, r9
    .endm

    .section .text.esq_dsp_winograd, "ax", %progbits
    .balign 4
    .global esq_dsp_winograd
    .type esq_dsp_winograd, %function
    .thumb_func
esq_dsp_winograd:
    push {r3-r11, lr}            /* r3, iterations, stands at sp; the gap behind them all */
    mov r5, r2
    add r2, r2, #96
    push {r2, r3}                /* the sums' end, iterations */
1:  movs r6, #0
    movs r7, #0
    mov r8, r6
    mov r9, r6
    ldr r4, [sp, #4]
2:  ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    subs r4, r4, #1
    bne 2b
    stmia.w r5!, {r6, r7, r8, r9}
    ldr r4, [sp, #ESQ_GAP]
    ldr r2, [sp]
    add r0, r0, r4
    cmp r5, r2
    bne 1b
    add sp, sp, #8
    pop {r3-r11, pc}
    .size esq_dsp_winograd, . - esq_dsp_winograd

/* Three columns of two input channels, lanes of r6, r7, r8, to six values, r2 bytes apart from r3
 * on; r4 and r5 are 3 and 5 times as many. 18 instructions; the sums are those of Lavin's G without
 * its divisors. */
    .macro ESQ_WEIGHTS rotation
    sxtb16 r9, r6, ror #\rotation
    sxtb16 r11, r8, ror #\rotation
    sxtb16 r10, r7, ror #\rotation
    sadd16 r12, r9, r11
    str r9, [r3]
    str r11, [r3, r5]
    sadd16 lr, r12, r10
    ssub16 r12, r12, r10
    str lr, [r3, r2]
    str r12, [r3, r2, lsl #1]
    sadd16 r11, r11, r11
    sadd16 r10, r10, r10
    sadd16 r11, r11, r11
    sadd16 r11, r11, r9
    sadd16 lr, r11, r10
    ssub16 r11, r11, r10
    str lr, [r3, r4]
    str r11, [r3, r2, lsl #2]
    add r3, r3, #16
    .endm

/* void esq_dsp_winograd_weights(const uint32_t *raw, uint32_t groups, uint32_t step_bytes,
 *                               uint32_t *to)
 */
    .section .text.esq_dsp_winograd_weights, "ax", %progbits
    .balign 4
    .global esq_dsp_winograd_weights
    .type esq_dsp_winograd_weights, %function
    .thumb_func
esq_dsp_winograd_weights:
    push {r4-r11, lr}
    add r4, r2, r2, lsl #1
    add r5, r2, r2, lsl #2
1:  ldmia r0!, {r6, r7, r8}
    ESQ_WEIGHTS 0
    ESQ_WEIGHTS 8
    subs r1, r1, #1
    bne 1b
    pop {r4-r11, pc}
    .size esq_dsp_winograd_weights, . - esq_dsp_winograd_weights

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
