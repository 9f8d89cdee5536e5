/* Depthwise 3x3 on Armv7-M without the DSP extension (Cortex-M3), channel by channel.
 * Contract: esq_depthwise_v7m.h.
 *
 * Three pixels at a time: 92 instructions where windows are one column apart, 101 where two; 14
 * more where columns may lie beside the image.
 */
#if defined(__ARM_ARCH_7M__)

#include "../esq_function.inc"

/* Stack frame, after the saved registers. */
    .equ ESQ_ROWS, 0            /* less the result: both go on by one per channel */
    .equ ESQ_RESULT_BYTES, 12
    .equ ESQ_ROUNDED_ZP, 16
    .equ ESQ_INPUT_ZP, 20
    .equ ESQ_BESIDE, 24
    .equ ESQ_RESULT_END, 28
    .equ ESQ_FRAME, 32

/* A column of the row at r1 to r7; r6 bytes of a pixel, r0 of three. */
    .macro ESQ_COLUMN column, condition=
    .if \column == 0
    ldrsb\condition r7, [r1]
    .elseif \column == 1
    ldrsb\condition r7, [r1, r6]
    .elseif \column == 2
    ldrsb\condition r7, [r1, r6, lsl #1]
    .elseif \column == 3
    ldrsb\condition r7, [r1, r0]
    .elseif \column == 4
    ldrsb\condition r7, [r1, r6, lsl #2]
    .elseif \column == 5
    add.w r7, r6, r6, lsl #2
    ldrsb r7, [r1, r7]
    .else
    ldrsb\condition r7, [r1, r0, lsl #1]
    .endif
    .endm

/* N: the first column lies beside the image; C: the last one does. */
    .macro ESQ_COLUMN_edge column, last
    .if \column == 0
    ite mi
    ldrmi r7, [sp, #ESQ_INPUT_ZP]
    ESQ_COLUMN 0, pl
    .elseif \column == \last
    ite cs
    ldrcs r7, [sp, #ESQ_INPUT_ZP]
    ESQ_COLUMN \column, cc
    .else
    ESQ_COLUMN \column
    .endif
    .endm

    .macro ESQ_COLUMN_inside column, last
    ESQ_COLUMN \column
    .endm

    .macro ESQ_TAKE sum, tap
    .if \tap == 0
    mla \sum, r7, r11, \sum
    .elseif \tap == 1
    mla \sum, r7, r12, \sum
    .elseif \tap == 2
    mla \sum, r7, lr, \sum
    .endif
    .endm

/* Adds a column to the sums r8-r10 of the pixels whose windows it is in. */
    .macro ESQ_TAKE_COLUMN column, stride
    ESQ_TAKE r8, \column
    ESQ_TAKE r9, (\column - \stride)
    ESQ_TAKE r10, (\column - 2 * \stride)
    .endm

    .macro ESQ_ROW row, stride, kind
    ldr r1, [sp, #ESQ_ROWS + 4 * \row]
    ldrsb r11, [r3], #1
    ldrsb r12, [r3], #1
    ldrsb lr, [r3], #1
    add r1, r5
    .irp column, 0, 1, 2, 3, 4, 5, 6
    .if \column <= 2 + 2 * \stride
    ESQ_COLUMN_\kind \column, 2 + 2 * \stride
    ESQ_TAKE_COLUMN \column, \stride
    .endif
    .endr
    .endm

/* Rounded(2 v multiplier / 2^32), halves up; then zp 2^shift, half of 2^shift, and -1 where v is
 * negative, so that halves go away from zero. */
    .macro ESQ_VALUE sum, to:vararg
    lsl.w \sum, \sum, #1
    mov.w r1, #0x80000000
    add.w r2, lr, \sum, asr #31
    smlal r1, r2, \sum, r12
    asr.w r2, r2, r11
    ssat r2, #8, r2
    strb.w r2, [r5, \to]
    .endm

    .macro ESQ_BEGIN_edge
    ldr r7, [sp, #ESQ_BESIDE]
    lsls r7, r7, #31
    .endm

    .macro ESQ_BEGIN_inside
    .endm

    .macro ESQ_DEPTHWISE name, stride, kind
    ESQ_FUNCTION \name
    push {r4-r11, lr}
    sub sp, #ESQ_FRAME
    ldmia.w r0!, {r8, r9, r10}
    ldr.w r6, [r0], #4
    ldmia.w r0!, {r3, r4, r5, r7, r11, r12}
    ldmia.w r0, {r1, r2}
    subs r8, r8, r5
    subs r9, r9, r5
    subs r10, r10, r5
    add r2, r5
    stmia.w sp, {r8, r9, r10}
    strd r7, r11, [sp, #ESQ_RESULT_BYTES]
    strd r12, r1, [sp, #ESQ_INPUT_ZP]
    str r2, [sp, #ESQ_RESULT_END]
    add.w r0, r6, r6, lsl #1
1:  ESQ_BEGIN_\kind
    ldr.w r8, [r4]
    asr.w r8, r8, #5
    mov r9, r8
    mov r10, r8
    ESQ_ROW 0, \stride, \kind
    ESQ_ROW 1, \stride, \kind
    ESQ_ROW 2, \stride, \kind
    ldrd r11, r12, [r4], #8
    ldrd r7, lr, [sp, #ESQ_RESULT_BYTES]
    and r11, r11, #31
    sub.w r1, r11, #1
    lsl.w lr, lr, r1
    ESQ_VALUE r8, #0
    ESQ_VALUE r9, r7
    ESQ_VALUE r10, r7, lsl #1
    ldr r1, [sp, #ESQ_RESULT_END]
    adds r5, #1
    cmp r5, r1
    bne.w 1b
    add sp, #ESQ_FRAME
    pop {r4-r11, pc}
    .size \name, . - \name
    .endm

    ESQ_DEPTHWISE esq_depthwise_beside_inside, 1, inside
    ESQ_DEPTHWISE esq_depthwise_beside_edge, 1, edge
    ESQ_DEPTHWISE esq_depthwise_apart_inside, 2, inside
    ESQ_DEPTHWISE esq_depthwise_apart_edge, 2, edge

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
