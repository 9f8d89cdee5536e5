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
    ldr r12, [sp]
    push {r4-r11, lr}
    subs r3, r3, #1
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

/* The same for two rows of pixels: four values. */
    .macro ESQ_DOWN_2 place
    ldr r6, [sp, #\place]
    ldr r7, [sp, #\place + 24]
    ldr r8, [sp, #\place + 48]
    sadd16 r9, r6, r8
    str r6, [r3]
    ssub16 r10, r9, r7
    sadd16 r9, r9, r7
    str r8, [r3, r4]
    str r9, [r3, r2]
    str r10, [r3, r2, lsl #1]
    add r3, r3, lr
    .endm

    .macro ESQ_SQUARE rotation, down
    ESQ_ALONG \rotation, 0
    ESQ_ALONG \rotation, 24
    ESQ_ALONG \rotation, 48
    \down 0
    \down 4
    \down 8
    \down 12
    \down 16
    \down 20
    sub r3, r3, r2
    add r3, r3, #16
    .endm

    .macro ESQ_WEIGHTS name, down
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type \name, %function
    .thumb_func
\name:
    push {r4-r11, lr}
    sub sp, sp, #72
    mov lr, r2
    add r2, r2, r2, lsl #1
    lsls r2, r2, #1
    add r4, r2, r2, lsl #1
    add r5, r2, r2, lsl #2
1:  ESQ_SQUARE 0, \down
    subs r0, r0, #36
    ESQ_SQUARE 8, \down
    subs r1, r1, #1
    bne.w 1b
    add sp, sp, #72
    pop {r4-r11, pc}
    .size \name, . - \name
    .endm

    ESQ_WEIGHTS esq_dsp_squares_weights_4, ESQ_DOWN
    ESQ_WEIGHTS esq_dsp_squares_weights_2, ESQ_DOWN_2

/* The stack of the ends, behind half a square, [4][6]. */
    .equ ESQ_ROWS, 96
    .equ ESQ_HEIGHT, 112
    .equ ESQ_SUMS, 116
    .equ ESQ_TABLE, 120
    .equ ESQ_CHANNELS, 124
    .equ ESQ_FRAME, 128

/* Six sums r0-r5 to 24, 12, 6 and 6 times four results, r0, r1, r4, r5; 12 instructions. */
    .macro ESQ_COMBINE
    sub.w r10, r1, r2
    add.w r1, r1, r2
    sub.w r2, r3, r4
    add.w r3, r3, r4
    sub.w r4, r3, r1
    add.w r0, r0, r0, lsl #1
    add.w r5, r5, r5, lsl #1
    add.w r0, r3, r0, lsl #1
    add.w r5, r5, r2
    sub.w r0, r0, r1, lsl #2
    rsb r5, r10, r5, lsl #1
    sub.w r1, r2, r10, lsl #1
    .endm

/* A column of the six sums of each row, from r7 on. */
    .macro ESQ_COLUMN place, bias
    ldr r0, [r7, #(\place * 16)]
    ldr r1, [r7, #(\place * 16 + 96)]
    ldr r2, [r7, #(\place * 16 + 192)]
    ldr r3, [r7, #(\place * 16 + 288)]
    ldr r4, [r7, #(\place * 16 + 384)]
    ldr r5, [r7, #(\place * 16 + 480)]
    .if \bias
    add r1, r1, r9
    .endif
    ESQ_COMBINE
    str r0, [sp, #(\place * 4)]
    str r1, [sp, #(\place * 4 + 24)]
    str r4, [sp, #(\place * 4 + 48)]
    str r5, [sp, #(\place * 4 + 72)]
    .endm

/* The same for two rows: 2 times each. */
    .macro ESQ_COLUMN_2 place, bias
    ldr r0, [r7, #(\place * 16)]
    ldr r1, [r7, #(\place * 16 + 96)]
    ldr r2, [r7, #(\place * 16 + 192)]
    ldr r3, [r7, #(\place * 16 + 288)]
    .if \bias
    add r1, r1, r9
    .endif
    add r4, r1, r2
    sub r1, r1, r2
    add r0, r4, r0, lsl #1
    sub r1, r1, r3, lsl #1
    str r0, [sp, #(\place * 4)]
    str r1, [sp, #(\place * 4 + 24)]
    .endm

/* 36 or 12 times 2^rest times a sum to its level, halves away from zero; r6: the inverse of 9 or
 * 3. */
    .macro ESQ_LEVEL value, rest
    mul \value, \value, r6
    asrs.w \value, \value, #(\rest + 1)
    smmlar r2, \value, r7, r8
    add.w \value, r2, \value, asr #31
    asrs.w \value, \value, r9
    ssat \value, #8, \value
    .endm

/* One row of pixels; those beside the image are stored first, then overwritten. */
    .macro ESQ_PIXELS row, rest
    add.w r5, sp, #(\row * 24)
    ldmia.w r5, {r0, r1, r2, r3, r4, r5}
    ESQ_COMBINE
    ldr r10, [sp, #(ESQ_ROWS + \row * 4)]
    ESQ_LEVEL r5, \rest
    ESQ_LEVEL r4, \rest
    ESQ_LEVEL r1, \rest + 1
    ESQ_LEVEL r0, \rest + 2
    strb r5, [r10, lr]
    strb r4, [r10, r12]
    strb r1, [r10, r11]
    strb r0, [r10], #1
    str r10, [sp, #(ESQ_ROWS + \row * 4)]
    .endm

    .macro ESQ_BEGIN_END name, inverse
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type \name, %function
    .thumb_func
\name:
    push {r4-r11, lr}
    sub sp, sp, #ESQ_FRAME
    ldmia r2, {r3, r4, r5, r6, r7, r11, r12, lr}
    add r8, sp, #ESQ_ROWS
    movs r2, #4
    stmia.w r8!, {r3, r4, r5, r6, r7}
    stmia.w r8, {r0, r1, r2}
    movw r6, #(\inverse & 0xffff)
    movt r6, #(\inverse >> 16)
    .endm

/* All columns of a channel; then r7, r8, r9 are its row of the table, and r3 the height. */
    .macro ESQ_COLUMNS column
    ldrd r7, r8, [sp, #ESQ_SUMS]
    ldr r9, [r8, #12]
    \column 0, 0
    \column 1, 1
    \column 2, 0
    \column 3, 0
    \column 4, 0
    \column 5, 0
    adds r7, r7, #4
    add r10, r8, #16
    ldr r3, [sp, #ESQ_HEIGHT]
    strd r7, r10, [sp, #ESQ_SUMS]
    ldmia.w r8, {r7, r8, r9}
    .endm

    .macro ESQ_END_CHANNEL name
    ldr r3, [sp, #ESQ_CHANNELS]
    subs r3, r3, #1
    str r3, [sp, #ESQ_CHANNELS]
    bne.w 1b
    add sp, sp, #ESQ_FRAME
    pop {r4-r11, pc}
    .size \name, . - \name
    .endm

    ESQ_BEGIN_END esq_dsp_squares_end_4, 0x38E38E39
1:  ESQ_COLUMNS ESQ_COLUMN
    cmp r3, #3
    blo 2f
    beq.w 4f
    ESQ_PIXELS 3, 0
4:  ESQ_PIXELS 2, 0
    b 3f
2:  cmp r3, #1
    beq.w 5f
3:  ESQ_PIXELS 1, 1
5:  ESQ_PIXELS 0, 2
    ESQ_END_CHANNEL esq_dsp_squares_end_4

    ESQ_BEGIN_END esq_dsp_squares_end_2, 0xAAAAAAAB
1:  ESQ_COLUMNS ESQ_COLUMN_2
    cmp r3, #1
    beq.w 2f
    ESQ_PIXELS 1, 0
2:  ESQ_PIXELS 0, 0
    ESQ_END_CHANNEL esq_dsp_squares_end_2

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
