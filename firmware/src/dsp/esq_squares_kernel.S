/* The inner loops of esq_squares_dsp.c. Four channels times one value of a tile: per two steps 3
 * loads and 8 multiplications of pairs for 16 products, each worth 4 MACs of the convolution. The
 * first step begins the sums.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

    .macro ESQ_LOAD_WEIGHTS
    ldmia.w r1!, {r10, r11, r12, lr}
    .endm

    .macro ESQ_STEP value
    smlad r4, r10, \value, r4
    smlad r5, r11, \value, r5
    smlad r6, r12, \value, r6
    smlad r7, lr, \value, r7
    .endm

    .macro ESQ_FIRST_STEP value
    smuad r4, r10, \value
    smuad r5, r11, \value
    smuad r6, r12, \value
    smuad r7, lr, \value
    .endm

    .macro ESQ_TWO_STEPS
    ldrd r8, r9, [r0], #8
    ESQ_LOAD_WEIGHTS
    ESQ_STEP r8
    ESQ_LOAD_WEIGHTS
    ESQ_STEP r9
    .endm

    .section .text.esq_dsp_squares, "ax", %progbits
    .balign 4
    .global esq_dsp_squares
    .type esq_dsp_squares, %function
    .thumb_func
esq_dsp_squares:
    push {r4-r11, lr}
    subs r3, r3, #1
    add r12, r2, #(36 * 16)
    push {r3, r12}               /* iterations behind the first, the sums' end */
1:  ldrd r8, r9, [r0], #8
    ESQ_LOAD_WEIGHTS
    ESQ_FIRST_STEP r8
    ESQ_LOAD_WEIGHTS
    ESQ_STEP r9
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ldr r3, [sp]
    cmp r3, #0
    beq 3f
2:  ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    ESQ_TWO_STEPS
    subs r3, r3, #1
    bne 2b
3:  ldr r3, [sp, #4]
    stmia r2!, {r4, r5, r6, r7}
    cmp r2, r3
    bne 1b
    add sp, sp, #8
    pop {r4-r11, pc}
    .size esq_dsp_squares, . - esq_dsp_squares

/* Three weights of two input channels each, r6, r7, r8, to six values: r6, r9, r10, r11, r7, r8; 9
 * instructions. The sums are those of Lavin's G without its divisors. */
    .macro ESQ_VALUES
    sadd16 r9, r6, r8
    sadd16 r12, r8, r8
    ssub16 r10, r9, r7
    sadd16 r9, r9, r7
    sadd16 r12, r12, r12
    sadd16 r7, r7, r7
    sadd16 r12, r12, r6
    sadd16 r11, r12, r7
    ssub16 r7, r12, r7
    .endm

/* A kernel row, to six words of the stack from `place` on. */
    .macro ESQ_ALONG rotation, place
    ldmia r0!, {r6, r7, r8}
    sxtb16 r6, r6, ror #\rotation
    sxtb16 r8, r8, ror #\rotation
    sxtb16 r7, r7, ror #\rotation
    ESQ_VALUES
    strd r6, r9, [sp, #\place]
    strd r10, r11, [sp, #\place + 8]
    strd r7, r8, [sp, #\place + 16]
    .endm

/* The same value of each kernel row, to six values of the square: from r3 on, r2 bytes apart, of
 * which r4 and r5 are 3 and 5 times as many; the next column lies lr bytes further. */
    .macro ESQ_DOWN place
    ldr r6, [sp, #\place]
    ldr r7, [sp, #\place + 24]
    ldr r8, [sp, #\place + 48]
    ESQ_VALUES
    str r6, [r3]
    str r9, [r3, r2]
    str r10, [r3, r2, lsl #1]
    str r11, [r3, r4]
    str r7, [r3, r2, lsl #2]
    str r8, [r3, r5]
    add r3, r3, lr
    .endm

    .macro ESQ_SQUARE rotation
    ESQ_ALONG \rotation, 0
    ESQ_ALONG \rotation, 24
    ESQ_ALONG \rotation, 48
    ESQ_DOWN 0
    ESQ_DOWN 4
    ESQ_DOWN 8
    ESQ_DOWN 12
    ESQ_DOWN 16
    ESQ_DOWN 20
    sub r3, r3, r2
    add r3, r3, #16
    .endm

    .section .text.esq_dsp_squares_weights, "ax", %progbits
    .balign 4
    .global esq_dsp_squares_weights
    .type esq_dsp_squares_weights, %function
    .thumb_func
esq_dsp_squares_weights:
    push {r4-r11, lr}
    sub sp, sp, #72
    mov lr, r2
    add r2, r2, r2, lsl #1
    lsls r2, r2, #1
    add r4, r2, r2, lsl #1
    add r5, r2, r2, lsl #2
1:  ESQ_SQUARE 0
    subs r0, r0, #36
    ESQ_SQUARE 8
    subs r1, r1, #1
    bne.w 1b
    add sp, sp, #72
    pop {r4-r11, pc}
    .size esq_dsp_squares_weights, . - esq_dsp_squares_weights

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
