/* The inner loops of convolution on the DSP extension. Contract: esq_dsp.h.
 *
 * Two channels times n pixels, for kernels whose window is given value by value (`each`) and for
 * windows three columns wide that slide by one column (`slide`): there neighbouring pixels share
 * columns, each is loaded once. Instructions per MAC:
 *            n = 3   n = 2   n = 1
 *   each     0.708   0.750   1.000   3 or 2 loads, 2 SXTB16, 4 n SMLAD per group
 *   slide    0.667   0.708   0.875   6, 4 or 3 loads, 6 SXTB16, 12 n SMLAD per group
 * Three pixels fill the register file: 6 sums, 2 pointers, 6 activations and weights; so their loop
 * has no counter, it ends where the activations do.
 * Groups are unrolled; a run of another length jumps into the middle, so that short runs pay no
 * second loop. What a pair needs once stands on the stack.
 */
#if defined(__ARM_FEATURE_DSP)
    .syntax unified
    .thumb

/* Stack frame, after the saved registers. */
    .equ ESQ_ACTIVATIONS, 0
    .equ ESQ_LOOPS, 4       /* iterations; with three pixels the end of the activations */
    .equ ESQ_ENTRY, 8
    .equ ESQ_HOOK, 12       /* what follows the loop: the end of a pair, or `gap` before it */
    .equ ESQ_RESULT, 16
    .equ ESQ_TABLE, 20
    .equ ESQ_PIXEL_BYTES, 24
    .equ ESQ_TABLE_END, 28
    .equ ESQ_GAP, 32
    .equ ESQ_END, 36
    .equ ESQ_FRAME, 40

/* r0 activations, r1 weights, r7-r9 256 S_A + S_B, r10-r12 S_B, lr iterations; r2-r6 and what of
 * r8-r12 and lr is left over: weights and activations. Every instruction takes 4 bytes, so that the
 * entry can be computed. A load or SXTB16 stands before an SMLAD that does not wait for it, to
 * issue with it. */
    .macro ESQ_RAW_3 weight, first, second, third
    smlad r7, \weight, \first, r7
    smlad r8, \weight, \second, r8
    smlad r9, \weight, \third, r9
    .endm

    .macro ESQ_LOW_3 weight, first, second, third
    smlad r10, \weight, \first, r10
    smlad r11, \weight, \second, r11
    smlad r12, \weight, \third, r12
    .endm

    .macro ESQ_RAW_2 weight, first, second
    smlad r7, \weight, \first, r7
    smlad r8, \weight, \second, r8
    .endm
    .macro ESQ_LOW_2 weight, first, second
    smlad r10, \weight, \first, r10
    smlad r11, \weight, \second, r11
    .endm

/* Four values of each pixel's window: 17, 12, 8 instructions. */
    .macro ESQ_GROUP_each_3
    ldrd r2, r3, [r1], #8
    ldmia.w r0!, {r4, r5, r6, lr}
    ESQ_RAW_3 r2, r4, r5, r6
    sxtb16 r2, r2
    smlad r7, r3, lr, r7
    smlad r10, r2, r4, r10
    smlad r11, r2, r5, r11
    ldrd r4, r5, [r0], #8
    smlad r12, r2, r6, r12
    smlad r8, r3, r4, r8
    smlad r9, r3, r5, r9
    sxtb16 r3, r3
    ESQ_LOW_3 r3, lr, r4, r5
    .endm

    .macro ESQ_GROUP_each_2
    ldrd r2, r3, [r1], #8
    ldmia.w r0!, {r4, r5, r6, r9}
    ESQ_RAW_2 r2, r4, r5
    sxtb16 r2, r2
    ESQ_RAW_2 r3, r6, r9
    sxtb16 r3, r3
    ESQ_LOW_2 r2, r4, r5
    ESQ_LOW_2 r3, r6, r9
    .endm

    .macro ESQ_GROUP_each_1
    ldrd r2, r3, [r1], #8
    ldrd r4, r5, [r0], #8
    smlad r7, r2, r4, r7
    sxtb16 r2, r2
    smlad r7, r3, r5, r7
    sxtb16 r3, r3
    smlad r10, r2, r4, r10
    smlad r10, r3, r5, r10
    .endm

/* Two channels of n + 2 columns. */
    .macro ESQ_HALF_slide_3
    ldmia.w r1!, {r2, r3, r4}
    ldmia.w r0!, {r5, r6, lr}
    ESQ_RAW_3 r2, r5, r6, lr
    sxtb16 r2, r2
    smlad r7, r3, r6, r7
    ESQ_LOW_3 r2, r5, r6, lr
    ldrd r2, r5, [r0], #8
    smlad r8, r3, lr, r8
    smlad r9, r3, r2, r9
    smlad r7, r4, lr, r7
    sxtb16 r3, r3
    smlad r8, r4, r2, r8
    smlad r9, r4, r5, r9
    sxtb16 r4, r4
    ESQ_LOW_3 r3, r6, lr, r2
    ESQ_LOW_3 r4, lr, r2, r5
    .endm

    .macro ESQ_HALF_slide_2
    ldmia.w r1!, {r2, r3, r4}
    ldmia.w r0!, {r5, r6, r9, r12}
    ESQ_RAW_2 r2, r5, r6
    sxtb16 r2, r2
    ESQ_RAW_2 r3, r6, r9
    sxtb16 r3, r3
    ESQ_RAW_2 r4, r9, r12
    sxtb16 r4, r4
    ESQ_LOW_2 r2, r5, r6
    ESQ_LOW_2 r3, r6, r9
    ESQ_LOW_2 r4, r9, r12
    .endm

    .macro ESQ_HALF_slide_1 first, second, third
    smlad r7, r2, \first, r7
    sxtb16 r2, r2
    smlad r7, r3, \second, r7
    sxtb16 r3, r3
    smlad r7, r12, \third, r7
    sxtb16 r12, r12
    smlad r10, r2, \first, r10
    smlad r10, r3, \second, r10
    smlad r10, r12, \third, r10
    .endm

/* Four channels of n + 2 columns: 48, 34, 21 instructions. */
    .macro ESQ_GROUP_slide_3
    ESQ_HALF_slide_3
    ESQ_HALF_slide_3
    .endm

    .macro ESQ_GROUP_slide_2
    ESQ_HALF_slide_2
    ESQ_HALF_slide_2
    .endm

    .macro ESQ_GROUP_slide_1
    ldmia.w r1!, {r2, r3, r12}
    ldmia.w r0!, {r4, r5, r6, r8, r9, r11}
    ESQ_HALF_slide_1 r4, r5, r6
    ldmia.w r1!, {r2, r3, r12}
    ESQ_HALF_slide_1 r8, r9, r11
    .endm

/* The same instruction on n sums. */
    .macro ESQ_EACH n, first, second, third, operation, operands:vararg
    \operation \first, \first, \operands
    .if \n > 1
    \operation \second, \second, \operands
    .endif
    .if \n > 2
    \operation \third, \third, \operands
    .endif
    .endm

    .macro ESQ_SATURATE n, first, second, third
    ssat \first, #8, \first
    .if \n > 1
    ssat \second, #8, \second
    .endif
    .if \n > 2
    ssat \third, #8, \third
    .endif
    .endm

/* relu: negative results clamp to the zero point. 256 S_A stands in the sums of A. The double
 * rounding of S_A M 2^-31 >> shift is, where it is not negative, floor(256 S_A M 2^-32 + C) >>
 * (shift + 7) with C = 64 + 2^(shift+6) + zp 2^(shift+7). */
    .macro ESQ_UPPER_relu n, first, second, third
    ESQ_EACH \n, \first, \second, \third, smmla, r3, r4
    ESQ_EACH \n, \first, \second, \third, asrs.w, r5
    ESQ_SATURATE \n, \first, \second, \third
    .endm

    .macro ESQ_LOWER_relu n, first, second, third
    ESQ_EACH \n, \first, \second, \third, lsls.w, #1
    ESQ_EACH \n, \first, \second, \third, smmlar, r3, r4
    ESQ_EACH \n, \first, \second, \third, asrs.w, r5
    ESQ_SATURATE \n, \first, \second, \third
    .endm

/* linear: twice the sum times M, rounded, and C; one less where the sum is negative, so that halves
 * round away from zero; where that rounds to zero it changes nothing, the shift is at least 1. */
    .macro ESQ_ROUND value
    smmlar r6, \value, r3, r4
    add.w \value, r6, \value, asr #31
    .endm

    .macro ESQ_ROUND_EACH n, first, second, third
    ESQ_ROUND \first
    .if \n > 1
    ESQ_ROUND \second
    .if \n > 2
    ESQ_ROUND \third
    .endif
    .endif
    ESQ_EACH \n, \first, \second, \third, asrs.w, r5
    ESQ_SATURATE \n, \first, \second, \third
    .endm

    .macro ESQ_UPPER_linear n, first, second, third
    ESQ_EACH \n, \first, \second, \third, asrs.w, #7
    ESQ_ROUND_EACH \n, \first, \second, \third
    .endm

    .macro ESQ_LOWER_linear n, first, second, third
    ESQ_EACH \n, \first, \second, \third, lsls.w, #1
    ESQ_ROUND_EACH \n, \first, \second, \third
    .endm

/* How a pair's loop begins and ends. */
    .macro ESQ_BEGIN_LOOP n
    .if \n == 3
    ldr r0, [sp, #ESQ_ACTIVATIONS]
    .else
    ldrd r0, lr, [sp, #ESQ_ACTIVATIONS]
    .endif
    .endm

    .macro ESQ_END_LOOP n, loop
    .if \n == 3
    ldr r2, [sp, #ESQ_LOOPS]
    cmp r0, r2
    .else
    subs lr, lr, #1
    .endif
    bne \loop
    .endm

    .macro ESQ_DIFFERENCES n
    subs.w r7, r7, r10
    .if \n > 1
    subs.w r8, r8, r11
    .endif
    .if \n > 2
    subs.w r9, r9, r12
    .endif
    .endm

    .macro ESQ_FIRST_SUMS n
    .if \n > 1
    ldrd r8, r11, [r2]
    .endif
    .if \n > 2
    ldrd r9, r12, [r2]
    .endif
    ldrd r7, r10, [r2], #8
    .endm

    .macro ESQ_STORE first, second, third, n
    .if \n > 1
    strb \second, [r0, lr]
    .endif
    .if \n > 2
    strb \third, [r0, lr, lsl #1]
    .endif
    strb \first, [r0], #1
    .endm

    .macro ESQ_PART name             /* a function, or a part of one that others branch to */
    .type \name, %function
    .thumb_func
\name:
    .endm

/* A kernel's entry, and its end of a pair behind it; alone in a section, so that the linker leaves
 * out what no operator needs. */
    .macro ESQ_ENTRY_OF form, n, end
    .section .text.esq_dsp_\form\()_\end\()_\n, "ax", %progbits
    .balign 4
    .global esq_dsp_\form\()_\end\()_\n
    ESQ_PART esq_dsp_\form\()_\end\()_\n
    adr.w r3, .Lend_\form\()_\end\()_\n + 1
    b.w esq_dsp_begin_\form\()_\n
    .balign 4
.Lend_\form\()_\end\()_\n:
    ldrd r0, r2, [sp, #ESQ_RESULT]
    .endm

    .macro ESQ_END_PAIR form, n, end /* to the next pair, or back */
    cmp r2, r6
    bne.w esq_dsp_pair_\form\()_\n
    add sp, sp, #ESQ_FRAME
    pop {r4-r11, pc}
    .size esq_dsp_\form\()_\end\()_\n, . - esq_dsp_\form\()_\end\()_\n
    .endm

    .macro ESQ_SHORT form, n, end    /* with requantization to int8 */
    ESQ_ENTRY_OF \form, \n, \end
    ldr lr, [sp, #ESQ_PIXEL_BYTES]
    ldmia r2!, {r3, r4, r5}
    ESQ_DIFFERENCES \n
    ESQ_UPPER_\end \n, r7, r8, r9
    ESQ_STORE r7, r8, r9, \n
    ldmia r2!, {r3, r4, r5}
    ESQ_LOWER_\end \n, r10, r11, r12
    ldr r6, [sp, #ESQ_TABLE_END]
    ESQ_STORE r10, r11, r12, \n
    ESQ_END_PAIR \form, \n, \end
    .endm

    .macro ESQ_SUMS form, n
    ESQ_ENTRY_OF \form, \n, sums
    ldr r6, [sp, #ESQ_TABLE_END]
    ESQ_DIFFERENCES \n
    ESQ_EACH \n, r7, r8, r9, asrs.w, #8
    .if \n == 1
    stmia.w r0!, {r7, r10}
    .endif
    .if \n == 2
    stmia.w r0!, {r7, r8, r10, r11}
    .endif
    .if \n == 3
    stmia.w r0!, {r7, r8, r9, r10, r11, r12}
    .endif
    ESQ_END_PAIR \form, \n, sums
    .endm

    .macro ESQ_KERNEL form, n, log2_unrolled, group_bytes, activation_bytes=0
    ESQ_SHORT \form, \n, relu
    ESQ_SHORT \form, \n, linear
    ESQ_SUMS \form, \n

    .section .text.esq_dsp_begin_\form\()_\n, "ax", %progbits
    .balign 4
    ESQ_PART esq_dsp_begin_\form\()_\n
    push {r4-r11, lr}
    sub sp, sp, #ESQ_FRAME
    str r3, [sp, #ESQ_END]
    mov r12, r3
    ldmia r0!, {r4, r5, r6}      /* activations, groups, weights */
    mov r1, r6
    add r6, r5, #(1 << \log2_unrolled) - 1
    lsrs r6, r6, #\log2_unrolled            /* iterations */
    rsb r7, r5, r6, lsl #\log2_unrolled     /* groups left out of the first one */
    movs r3, #\group_bytes
    adr.w r8, .Lloop_\form\n + 1
    mla r7, r7, r3, r8
    .if \n == 3
    movs r3, #\activation_bytes
    mla r6, r5, r3, r4           /* where the activations end */
    .endif
    ldmia.w r0, {r2, r3, r5, r8, r9} /* table, its end, result, pixel bytes, gap */
    strd r4, r6, [sp, #ESQ_ACTIVATIONS]
    strd r8, r3, [sp, #ESQ_PIXEL_BYTES]
    mov r0, r5
    str r9, [sp, #ESQ_GAP]
    cmp r9, #0
    beq 1f
    adr.w r12, .Lgap_\form\n + 1
1:  strd r7, r12, [sp, #ESQ_ENTRY]

    ESQ_PART esq_dsp_pair_\form\()_\n /* r0 result, r2 table */
    ESQ_FIRST_SUMS \n
    strd r0, r2, [sp, #ESQ_RESULT]
    ESQ_BEGIN_LOOP \n
    ldr pc, [sp, #ESQ_ENTRY]
    .balign 4
.Lloop_\form\n:
    .rept 1 << \log2_unrolled
    ESQ_GROUP_\form\()_\n
    .endr
    ESQ_END_LOOP \n, .Lloop_\form\n
    ldr pc, [sp, #ESQ_HOOK]

.Lgap_\form\n:
    ldr r2, [sp, #ESQ_GAP]
    add r1, r1, r2
    ldr pc, [sp, #ESQ_END]
    .size esq_dsp_begin_\form\()_\n, . - esq_dsp_begin_\form\()_\n
    .endm

    ESQ_KERNEL each, 1, 3, 32
    ESQ_KERNEL each, 2, 3, 48
    ESQ_KERNEL each, 3, 3, 68, 24
    ESQ_KERNEL slide, 1, 2, 84
    ESQ_KERNEL slide, 2, 2, 136
    ESQ_KERNEL slide, 3, 2, 192, 40

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
