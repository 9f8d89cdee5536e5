/* The inner loops of 3x3 depthwise convolution on the DSP extension. Contract: esq_depthwise_dsp.h.
 *
 * Nine taps of one channel are three pairs of rows 0 and 1, one pair of columns of row 2, and one
 * value alone: 5 multiplications. Two neighbouring outputs share six words: 24 instructions for 18
 * MACs, requantization and stores included, where neighbours are one column apart; 17 for 9 where
 * they are two apart. A column pair of four channels is made in 38.
 */
#if defined(__ARM_FEATURE_DSP)

#include "../esq_function.inc"

/* struct esq_dsp_pairs. */
    .equ ESQ_PIXEL_BYTES, 12
    .equ ESQ_LEFT, 36

/* Stack frame of the column pairs. */
    .equ ESQ_ZERO, 0
    .equ ESQ_FULL_END, 4
    .equ ESQ_RIGHT_COLUMN, 8         /* and the end */
    .equ ESQ_PAIRS_FRAME, 16

/* Both columns of a row, or of a row beside the image. */
    .macro ESQ_ROW_full row, first, second
    cbz \row, .Labsent_\row
    ldr \first, [\row]
    ldr \second, [\row, r3]
    add \row, \row, r3, lsl #1
.Lloaded_\row:
    .endm

    .macro ESQ_ROW_absent row, first, second
.Labsent_\row:
    ldr \first, [sp, #ESQ_ZERO]
    mov \second, \first
    b .Lloaded_\row
    .endm

/* One column of a row, the other one lies beside the image. */
    .macro ESQ_ROW_half row, inside, outside
    ldr \outside, [sp, #ESQ_ZERO]
    mov \inside, \outside
    cbz \row, .Labsent\@
    ldr \inside, [\row]
    add \row, \row, r3
.Labsent\@:
    .endm

/* r0 r1 r2 rows, r3 pixel bytes, r12 pairs; r4 r5 columns of row 0, r6 r7 of row 1, r8 r9 of row
 * 2. */
    ESQ_FUNCTION esq_dsp_make_pairs
    push {r4-r11, lr}
    add r4, r0, #ESQ_PIXEL_BYTES
    ldmia r4, {r3, r4, r5, r6, r7, r8, r9} /* pairs, zero, full_end, right, end, left */
    mov r12, r4
    push {r5, r6, r7, r8}
    ldmia r0, {r0, r1, r2}
    cmp r9, #0
    beq .Lnext
    ESQ_ROW_half r0, r5, r4
    ESQ_ROW_half r1, r7, r6
    ESQ_ROW_half r2, r9, r8
    b .Lpair
.Lright:
    ESQ_ROW_half r0, r4, r5
    ESQ_ROW_half r1, r6, r7
    ESQ_ROW_half r2, r8, r9
    ldr r10, [sp, #ESQ_RIGHT_COLUMN + 4]
    str r10, [sp, #ESQ_FULL_END]     /* what follows lies beside the image */
    movs r0, #0
    movs r1, #0
    movs r2, #0
.Lpair:
    pkhbt r10, r4, r6, lsl #16
    pkhtb r6, r6, r4, asr #16
    pkhbt r4, r5, r7, lsl #16
    pkhtb r7, r7, r5, asr #16
    pkhbt r5, r8, r9, lsl #16
    pkhtb r9, r9, r8, asr #16
    sxtb16 r8, r10
    sxtb16 r11, r4
    sxtb16 lr, r5
    stmia r12!, {r8, r11, lr}
    sxtb16 r8, r10, ror #8
    sxtb16 r11, r4, ror #8
    sxtb16 lr, r5, ror #8
    stmia r12!, {r8, r11, lr}
    sxtb16 r8, r6
    sxtb16 r11, r7
    sxtb16 lr, r9
    stmia r12!, {r8, r11, lr}
    sxtb16 r8, r6, ror #8
    sxtb16 r11, r7, ror #8
    sxtb16 lr, r9, ror #8
    stmia r12!, {r8, r11, lr}
.Lnext:
    ldr r8, [sp, #ESQ_FULL_END]
    cmp r12, r8
    beq .Lno_more
.Lfull:
    ESQ_ROW_full r0, r4, r5
    ESQ_ROW_full r1, r6, r7
    ESQ_ROW_full r2, r8, r9
    b .Lpair
    ESQ_ROW_absent r0, r4, r5
    ESQ_ROW_absent r1, r6, r7
    ESQ_ROW_absent r2, r8, r9
.Lno_more:
    ldrd r8, r9, [sp, #ESQ_RIGHT_COLUMN]
    cmp r12, r9
    beq .Lmade
    cmp r8, #0
    bne .Lright
    str r9, [sp, #ESQ_FULL_END]
    movs r0, #0
    movs r1, #0
    movs r2, #0
    b .Lfull
.Lmade:
    add sp, sp, #ESQ_PAIRS_FRAME
    pop {r4-r11, pc}
    .size esq_dsp_make_pairs, . - esq_dsp_make_pairs

/* Stack frame of the outputs, below the saved registers. */
    .equ ESQ_BIAS, 0                 /* twice */
    .equ ESQ_MULTIPLIER, 8           /* and the constant */
    .equ ESQ_PAIRS, 16               /* and the result, of the channel at work */
    .equ ESQ_STEP, 24                /* bytes between pixels */
    .equ ESQ_ITERATIONS, 28
    .equ ESQ_TABLE, 32               /* and its end */
    .equ ESQ_ODD, 40
    .equ ESQ_RIGHT, 44               /* of linear: a shift */
    .equ ESQ_FRAME, 48

    .equ ESQ_PAIR_BYTES, 48
    .equ ESQ_CHANNEL_BYTES, 12
    .equ ESQ_SHIFT, 12

/* struct esq_dsp_outputs. r0 pairs, r1 result, r2 pixel bytes, r3 iterations, r4-r8 weights, r9-r11
 * columns, r12 lr sums. */
    .macro ESQ_BEGIN name, end
    ESQ_FUNCTION \name
    push {r4-r11, lr}
    sub sp, sp, #ESQ_FRAME
    ldmia r0, {r4-r10}           /* pairs, result, step, iterations, table, its end, odd */
    add r11, sp, #ESQ_PAIRS
    stmia r11, {r4-r10}
    mov r2, r6
.Lchannel_\name:
    ldr r12, [sp, #ESQ_TABLE]
    ldmia r12!, {r4-r11}
    str r12, [sp, #ESQ_TABLE]
    strd r9, r9, [sp, #ESQ_BIAS]
    strd r10, r11, [sp, #ESQ_MULTIPLIER]
    .ifc \end, linear
    rbit r11, r11                /* the constant is an odd number times half a step */
    clz r11, r11
    adds r11, r11, #1
    str r11, [sp, #ESQ_RIGHT]
    .endif
    ldrd r0, r1, [sp, #ESQ_PAIRS]
    ldr r3, [sp, #ESQ_ITERATIONS]
    .endm

/* To the next channel, whose results lie `bytes` further on. */
    .macro ESQ_DONE name, bytes
    ldrd r0, r1, [sp, #ESQ_PAIRS]
    add r0, r0, #ESQ_CHANNEL_BYTES
    .ifc \bytes, step
    add r1, r1, r2
    .else
    add r1, r1, #\bytes
    .endif
    strd r0, r1, [sp, #ESQ_PAIRS]
    ldrd r9, r10, [sp, #ESQ_TABLE]
    cmp r9, r10
    bne .Lchannel_\name
    add sp, sp, #ESQ_FRAME
    pop {r4-r11, pc}
    .size \name, . - \name
    .endm

    .macro ESQ_SUMS_beside
    ldrd r12, lr, [sp, #ESQ_BIAS]
    ldmia r0, {r9, r10, r11}
    add r0, r0, #ESQ_PAIR_BYTES
    smlad r12, r9, r4, r12
    smlad r12, r10, r5, r12
    smlad lr, r10, r4, lr
    smlad r12, r11, r7, r12
    smlatb lr, r11, r7, lr
    ldmia r0, {r9, r10, r11}
    smlad r12, r9, r6, r12
    smlad lr, r9, r5, lr
    smlad lr, r10, r6, lr
    smlabt r12, r11, r8, r12
    smlad lr, r11, r8, lr
    .endm

    .macro ESQ_SUMS_apart
    ldr r12, [sp, #ESQ_BIAS]
    ldmia r0, {r9, r10, r11}
    add r0, r0, #ESQ_PAIR_BYTES
    smlad r12, r9, r4, r12
    smlad r12, r10, r5, r12
    smlad r12, r11, r7, r12
    ldr r9, [r0]
    ldr r11, [r0, #8]
    smlad r12, r9, r6, r12
    smlabt r12, r11, r8, r12
    .endm

/* Sums to int8. relu: they stand 2^j higher, and one shift serves all channels. linear: they stand
 * twice as high; one less where negative, so that halves round away from zero. */
    .macro ESQ_FINISH_relu first, second
    ldrd r9, r10, [sp, #ESQ_MULTIPLIER]
    .irp sum, \first, \second
    smmla \sum, \sum, r9, r10
    .endr
    .irp sum, \first, \second
    ssat \sum, #8, \sum, asr #ESQ_SHIFT
    .endr
    .endm

    .macro ESQ_FINISH_linear first, second
    ldrd r9, r10, [sp, #ESQ_MULTIPLIER]
    .irp sum, \first, \second
    smmlar r11, \sum, r9, r10
    add \sum, r11, \sum, asr #31
    .endr
    ldr r11, [sp, #ESQ_RIGHT]
    .irp sum, \first, \second
    asr \sum, \sum, r11
    ssat \sum, #8, \sum
    .endr
    .endm

/* An odd output at the end is one of two that lie 0 bytes apart, stored last. */
    .macro ESQ_BESIDE end
    ESQ_BEGIN esq_dsp_depthwise_beside_\end, \end
    cmp r3, #0
    beq 2f
1:  ESQ_SUMS_beside
    ESQ_FINISH_\end lr, r12
    strb lr, [r1, r2]
    strb r12, [r1]
    add r1, r1, r2, lsl #1
    subs r3, r3, #1
    bne 1b
    cbz r2, 3f
2:  ldr r3, [sp, #ESQ_ODD]
    cbz r3, 4f
    movs r2, #0
    b 1b
3:  ldr r2, [sp, #ESQ_STEP]
4:  ESQ_DONE esq_dsp_depthwise_beside_\end, 1
    .endm

    .macro ESQ_APART end
    ESQ_BEGIN esq_dsp_depthwise_apart_\end, \end
1:  ESQ_SUMS_apart
    ESQ_FINISH_\end r12
    strb r12, [r1]
    add r1, r1, r2
    subs r3, r3, #1
    bne 1b
    ESQ_DONE esq_dsp_depthwise_apart_\end, 1
    .endm

    ESQ_BESIDE relu
    ESQ_BESIDE linear
    ESQ_APART relu
    ESQ_APART linear

    ESQ_BEGIN esq_dsp_depthwise_beside_sums, sums
1:  ESQ_SUMS_beside
    strd r12, lr, [r1], #8
    subs r3, r3, #1
    bne 1b
    ESQ_DONE esq_dsp_depthwise_beside_sums, step

    ESQ_BEGIN esq_dsp_depthwise_apart_sums, sums
1:  ESQ_SUMS_apart
    str r12, [r1], #4
    subs r3, r3, #1
    bne 1b
    ESQ_DONE esq_dsp_depthwise_apart_sums, step

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
