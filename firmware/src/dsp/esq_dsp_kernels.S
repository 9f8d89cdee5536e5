/* The inner loops of convolution on the DSP extension. Contract: esq_dsp.h.
 *
 * Two channels times n pixels. Per group of four input values, instructions per MAC:
 *   n = 3: 3 loads, 2 SXTB16, 12 SMLAD for 24 MACs: 0.708
 *   n = 2: 2 loads, 2 SXTB16,  8 SMLAD for 16 MACs: 0.750
 *   n = 1: 2 loads, 2 SXTB16,  4 SMLAD for  8 MACs: 1.000
 * Three pixels fill the register file: 6 sums, 3 activations, 2 weights, 2 pointers, the counter.
 * Eight groups are unrolled; a run of another length jumps into the middle, so short runs pay no
 * second loop. What a pair needs once stands on the stack.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

    .equ UNROLLED, 8

/* Stack frame, after the saved registers. */
    .equ ACTIVATIONS, 0
    .equ ITERATIONS, 4
    .equ ENTRY, 8
    .equ HOOK, 12       /* where a run ends: `end`, or `next_run` */
    .equ RESULT, 16
    .equ PIXEL_BYTES, 20
    .equ TABLE, 24
    .equ TABLE_END, 28
    .equ RUNS_LEFT, 32
    .equ RUNS, 36
    .equ RUN_GAP, 40
    .equ END_GAP, 44
    .equ END, 48
    .equ FRAME, 56

/* r0 activations, r1 weights, r2 r3 weights, r4-r6 activations, r7-r9 256 S_A + S_B, r10-r12 S_B,
 * lr iterations. Every instruction takes 4 bytes, so that the entry can be computed. */
    .macro TIMES_3 weight
    ldmia.w r0!, {r4, r5, r6}
    smlad r7, \weight, r4, r7
    smlad r8, \weight, r5, r8
    smlad r9, \weight, r6, r9
    sxtb16 \weight, \weight
    smlad r10, \weight, r4, r10
    smlad r11, \weight, r5, r11
    smlad r12, \weight, r6, r12
    .endm

    .macro GROUP_3
    ldrd r2, r3, [r1], #8
    TIMES_3 r2
    TIMES_3 r3
    .endm

    .macro GROUP_2
    ldrd r2, r3, [r1], #8
    ldmia.w r0!, {r4, r5, r6, r9}
    smlad r7, r2, r4, r7
    smlad r8, r2, r5, r8
    sxtb16 r2, r2
    smlad r10, r2, r4, r10
    smlad r11, r2, r5, r11
    smlad r7, r3, r6, r7
    smlad r8, r3, r9, r8
    sxtb16 r3, r3
    smlad r10, r3, r6, r10
    smlad r11, r3, r9, r11
    .endm

    .macro GROUP_1
    ldrd r2, r3, [r1], #8
    ldrd r4, r5, [r0], #8
    smlad r7, r2, r4, r7
    sxtb16 r2, r2
    smlad r10, r2, r4, r10
    smlad r7, r3, r5, r7
    sxtb16 r3, r3
    smlad r10, r3, r5, r10
    .endm

    .equ GROUP_3_BYTES, 68
    .equ GROUP_2_BYTES, 48
    .equ GROUP_1_BYTES, 32

/* A: 256 S_A stands in \sum. The double rounding of S_A M 2^-31 >> shift is, where it is not
 * negative, floor(256 S_A M 2^-32 + C) >> (shift + 7) with C = 2^(shift+6) + 64 + zp 2^(shift+7). */
    .macro REQUANTIZE_A sum
    smmla \sum, \sum, r3, r4
    asrs.w \sum, \sum, r5
    ssat \sum, #8, \sum
    .endm

/* B: S_B stands in \sum. */
    .macro REQUANTIZE_B sum
    lsls.w \sum, \sum, #1
    smmlar \sum, \sum, r3, r4
    asrs.w \sum, \sum, r5
    ssat \sum, #8, \sum
    .endm

/* One end of `n` pixels: every operand list is cut to n by .if. */
    .macro DIFFERENCES n
    subs.w r7, r7, r10
    .if \n > 1
    subs.w r8, r8, r11
    .endif
    .if \n > 2
    subs.w r9, r9, r12
    .endif
    .endm

    .macro FIRST_SUMS n
    ldrd r7, r10, [r2], #8
    .if \n > 1
    mov r8, r7
    mov r11, r10
    .endif
    .if \n > 2
    mov r9, r7
    mov r12, r10
    .endif
    .endm

    .macro STORE first, second, third, n
    .if \n > 1
    strb \second, [r0, lr]
    .endif
    .if \n > 2
    strb \third, [r0, lr, lsl #1]
    .endif
    strb \first, [r0], #1
    .endm

    .macro KERNEL n
    .section .text.esq_dsp_\n, "ax", %progbits
    .balign 4
    .global esq_dsp_sums_\n
    .type esq_dsp_sums_\n, %function
    .thumb_func
esq_dsp_sums_\n:
    adr.w r3, .Lsums_\n + 1
    b .Lbegin_\n

    .global esq_dsp_relu_\n
    .type esq_dsp_relu_\n, %function
    .thumb_func
esq_dsp_relu_\n:
    adr.w r3, .Lrelu_\n + 1

.Lbegin_\n:
    push {r4-r11, lr}
    sub sp, sp, #FRAME
    str r3, [sp, #END]
    mov r12, r3
    ldmia r0!, {r4, r5, r6}      /* activations, groups, weights */
    mov r1, r6
    add r6, r5, #(UNROLLED - 1)
    lsrs r6, r6, #3              /* iterations */
    rsb r7, r5, r6, lsl #3       /* groups left out of the first one */
    movs r3, #GROUP_\n\()_BYTES
    adr.w r8, .Lloop_\n + 1
    mla r7, r7, r3, r8
    ldmia r0!, {r2, r3, r5, r9, r10, r11} /* table, end, result, pixel bytes, runs, run gap */
    ldr r0, [r0]                 /* end gap */
    strd r4, r6, [sp, #ACTIVATIONS]
    str r7, [sp, #ENTRY]
    strd r5, r9, [sp, #RESULT]
    strd r2, r3, [sp, #TABLE]
    strd r10, r10, [sp, #RUNS_LEFT]
    strd r11, r0, [sp, #RUN_GAP]
    orrs r0, r0, r11
    beq 1f
    adr.w r12, .Lnext_run_\n + 1
1:  str r12, [sp, #HOOK]

.Lpair_\n:                      /* r2 table */
    FIRST_SUMS \n
    str r2, [sp, #TABLE]
.Lrun_\n:
    ldr r0, [sp, #ACTIVATIONS]
.Lgo_\n:
    ldr lr, [sp, #ITERATIONS]
    ldr pc, [sp, #ENTRY]
    .balign 4
.Lloop_\n:
    .rept UNROLLED
    GROUP_\n
    .endr
    subs lr, lr, #1
    bne .Lloop_\n
    ldr pc, [sp, #HOOK]

.Lnext_run_\n:
    ldr r2, [sp, #RUNS_LEFT]
    subs r2, r2, #1
    beq 1f
    str r2, [sp, #RUNS_LEFT]
    ldr r2, [sp, #RUN_GAP]
    add r1, r1, r2
    b .Lgo_\n
1:  ldrd r2, r3, [sp, #RUNS]     /* runs, run gap */
    str r2, [sp, #RUNS_LEFT]
    ldr r2, [sp, #END_GAP]
    add r1, r1, r2
    ldr pc, [sp, #END]

.Lrelu_\n:
    ldr r2, [sp, #TABLE]
    ldrd r0, lr, [sp, #RESULT]
    ldmia r2!, {r3, r4, r5}
    DIFFERENCES \n
    REQUANTIZE_A r7
    .if \n > 1
    REQUANTIZE_A r8
    .endif
    .if \n > 2
    REQUANTIZE_A r9
    .endif
    STORE r7, r8, r9, \n
    ldmia r2!, {r3, r4, r5}
    REQUANTIZE_B r10
    .if \n > 1
    REQUANTIZE_B r11
    .endif
    .if \n > 2
    REQUANTIZE_B r12
    .endif
    STORE r10, r11, r12, \n
    str r0, [sp, #RESULT]
    ldr r3, [sp, #TABLE_END]
    cmp r2, r3
    bne .Lpair_\n
    b .Ldone_\n

.Lsums_\n:
    ldrd r2, r3, [sp, #TABLE]
    ldr r0, [sp, #RESULT]
    DIFFERENCES \n
    asrs.w r7, r7, #8
    .if \n == 1
    stmia.w r0!, {r7, r10}
    .endif
    .if \n == 2
    asrs.w r8, r8, #8
    stmia.w r0!, {r7, r8, r10, r11}
    .endif
    .if \n == 3
    asrs.w r8, r8, #8
    asrs.w r9, r9, #8
    stmia.w r0!, {r7, r8, r9, r10, r11, r12}
    .endif
    str r0, [sp, #RESULT]
    cmp r2, r3
    bne .Lpair_\n

.Ldone_\n:
    add sp, sp, #FRAME
    pop {r4-r11, pc}
    .size esq_dsp_relu_\n, . - esq_dsp_relu_\n
    .endm

    KERNEL 1
    KERNEL 2
    KERNEL 3

#endif
