/* The inner loop of depthwise convolution with any windows on the DSP extension. Contract:
 * esq_depthwise_windows_dsp.h.
 *
 * Three windows share three words of weights: 15 instructions for up to 18 MACs.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

/* struct esq_dsp_window_job. */
    .equ ESQ_WINDOW_LANES, 12
    .equ ESQ_WINDOW_SUMS, 20         /* and the triples */

/* Three words under one window. */
    .macro ESQ_WINDOW lanes, sum
    ldmia \lanes!, {r5, r6, r7}
    smlad \sum, r5, r2, \sum
    smlad \sum, r6, r3, \sum
    smlad \sum, r7, r4, \sum
    .endm

/* r0 job, then steps; r1 weights, r2-r4 of them, r5-r7 lanes, r8-r10 windows, r11 r12 lr sums. */
    .section .text.esq_dsp_window_sums, "ax", %progbits
    .balign 4
    .global esq_dsp_window_sums
    .type esq_dsp_window_sums, %function
    .thumb_func
esq_dsp_window_sums:
    push {r0, r4-r11, lr}
1:  ldmia r0, {r1, r2, r3, r8, r11}  /* weights, bytes, steps, lanes, bias */
    add r9, r8, r2
    add r10, r9, r2
    add r4, r10, r2
    str r4, [r0, #ESQ_WINDOW_LANES]
    mov r12, r11
    mov lr, r11
    mov r0, r3
2:  ldmia r1!, {r2, r3, r4}
    ESQ_WINDOW r8, r11
    ESQ_WINDOW r9, r12
    ESQ_WINDOW r10, lr
    subs r0, r0, #1
    bne 2b
    ldr r0, [sp]
    ldrd r1, r2, [r0, #ESQ_WINDOW_SUMS]
    stmia r1!, {r11, r12, lr}
    subs r2, r2, #1
    strd r1, r2, [r0, #ESQ_WINDOW_SUMS]
    bne 1b
    add sp, sp, #4
    pop {r4-r11, pc}
    .size esq_dsp_window_sums, . - esq_dsp_window_sums

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
