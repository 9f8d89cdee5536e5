/* The inner loops of convolution on MVE. Contract: esq_mve.h.
 *
 * Two channels times n pixels, 16 values at a time. Instructions per MAC in the loop, LE included:
 * 0.125 with n = 3, 0.141 with n = 2, 0.188 with n = 1. Loads and multiplications alternate, since
 * the core overlaps one with the other. Three pixels fill the six even registers that VMLADAV can
 * add to beside the counters.
 * The first block is peeled: VMLADAV without A needs no sums cleared. The second pair of channels
 * walks the windows backwards, so that no pointer is ever put back, and begins with the block whose
 * pixels are there. Sums go straight into vectors of four channels, which are requantized in place.
 */
#if defined(__ARM_FEATURE_MVE)

    .syntax unified
    .thumb

/* struct esq_mve_job, of which the frame holds a copy. */
    .equ ESQ_WINDOW, 0
    .equ ESQ_STEP_BYTES, 4
    .equ ESQ_WEIGHTS, 8
    .equ ESQ_TABLE, 12
    .equ ESQ_RESULT, 16
    .equ ESQ_COUNT, 20
    .equ ESQ_PIXEL_BYTES, 24
    .equ ESQ_TABLE_END, 28
    .equ ESQ_BLOCKS, 32
    .equ ESQ_FRAME, 48

    .equ ESQ_ROW_BYTES, 64 /* of the table */

/* r1 weights, r3 r5 r9 windows, r7 result, r11 table, r12 blocks - 1, lr iterations; sums r0 r2,
 * r4 r6, r8 r10: both channels of each pixel, then q5 q6 q7: four of each. */

    .macro ESQ_LOAD_first to, from
    vldrb.8 \to, [\from]
    .endm

    .macro ESQ_LOAD_forward to, from
    vldrb.8 \to, [\from, #16]!
    .endm

    .macro ESQ_LOAD_turn to, from /* it is there */
    .endm

    .macro ESQ_LOAD_backward to, from
    vldrb.8 \to, [\from, #-16]!
    .endm

/* One block: 11, 8 or 5 instructions for 2 n x 16 MACs. q0, the first channel's weights, is there
 * before it; where `ahead`, it holds those of the next block after it, so that no two loads stand
 * side by side but for n = 1. */
    .macro ESQ_BLOCK n, way, multiply, ahead=1
    ESQ_LOAD_\way q2, r3
    \multiply r0, q0, q2
    vldrb.8 q1, [r1], #16
    .if \n == 1 && \ahead
    vldrb.8 q0, [r1], #16
    .endif
    \multiply r2, q1, q2
    .if \n > 1
    ESQ_LOAD_\way q3, r5
    \multiply r4, q0, q3
    .endif
    .if \n == 2 && \ahead
    vldrb.8 q0, [r1], #16
    .endif
    .if \n > 2
    ESQ_LOAD_\way q4, r9
    .endif
    .if \n > 1
    \multiply r6, q1, q3
    .endif
    .if \n > 2
    \multiply r8, q0, q4
    .if \ahead
    vldrb.8 q0, [r1], #16
    .endif
    \multiply r10, q1, q4
    .endif
    .endm

/* Sums of all blocks: any number, or just one or two. */
    .macro ESQ_SUM_any n, first, way
    ESQ_BLOCK \n, \first, vmladav.s8
    wls lr, r12, .Lsummed\@
.Lblock\@:
    ESQ_BLOCK \n, \way, vmladava.s8
    le lr, .Lblock\@
.Lsummed\@:
    .endm

    .macro ESQ_SUM_two n, first, way
    ESQ_BLOCK \n, \first, vmladav.s8
    ESQ_BLOCK \n, \way, vmladava.s8
    .endm

/* The pixels stay in q2 q3 q4. */
    .macro ESQ_SUM_one n, first, way
    .ifc \first, first
    vldrb.8 q0, [r1], #16
    ESQ_BLOCK \n, turn, vmladav.s8
    .else
    ESQ_BLOCK \n, turn, vmladav.s8, 0
    .endif
    .endm

/* The sums of a pair of channels into the lanes `low` and `high` of q5 q6 q7. */
    .macro ESQ_INTO n, low, high
    vmov q5[\high], q5[\low], r0, r2
    .if \n > 1
    vmov q6[\high], q6[\low], r4, r6
    .endif
    .if \n > 2
    vmov q7[\high], q7[\low], r8, r10
    .endif
    .endm

/* The same operation on the n vectors of sums. */
    .macro ESQ_EACH n, operation, with
    \operation q5, q5, \with
    .if \n > 1
    \operation q6, q6, \with
    .endif
    .if \n > 2
    \operation q7, q7, \with
    .endif
    .endm

/* Adds -1 to what is negative, so that halves round away from zero. */
    .macro ESQ_NUDGE sums, with
    vshr.s32 \with, \sums, #31
    vqadd.s32 \sums, \sums, \with
    .endm

    .macro ESQ_ROUND_relu n, with
    .endm

    .macro ESQ_ROUND_signed n, with
    ESQ_NUDGE q5, \with
    .if \n > 1
    ESQ_NUDGE q6, \with
    .endif
    .if \n > 2
    ESQ_NUDGE q7, \with
    .endif
    .endm

    .macro ESQ_STORE n, second, third
    vstrb.32 q5, [r7], #4
    .if \n > 1
    vstrb.32 q6, [\second]
    .endif
    .if \n > 2
    vstrb.32 q7, [\third]
    .endif
    .endm

    .macro ESQ_STORE_any n
    ldrd r2, r4, [sp, #ESQ_PIXEL_BYTES] /* and the table's end */
    .if \n > 1
    adds r0, r7, r2
    .endif
    .if \n > 2
    adds r2, r0, r2
    .endif
    ESQ_STORE \n, r0, r2
    .endm

    .macro ESQ_STORE_two n
    .if \n > 1
    add r0, r7, r12
    .endif
    .if \n > 2
    add r2, r0, r12
    .endif
    ESQ_STORE \n, r0, r2
    .endm

    .macro ESQ_STORE_one n
    vstrb.32 q5, [r7], #4
    .if \n > 1
    vstrb.32 q6, [r5], #4
    .endif
    .if \n > 2
    vstrb.32 q7, [r3], #4
    .endif
    .endm

/* A table row by way of two registers; the pixels in q2 q3 q4 stay. */
    .macro ESQ_REQUANTIZE n, round, blocks
    vldrw.u32 q1, [r11], #ESQ_ROW_BYTES
    ESQ_EACH \n, vadd.i32, q1
    .ifc \blocks, one
    vldrw.u32 q0, [r11, #-48]
    ESQ_EACH \n, vqrdmulh.s32, q0
    ESQ_ROUND_\round \n, q0
    vldrw.u32 q1, [r11, #-32]
    ESQ_EACH \n, vqadd.s32, q1
    vldrw.u32 q0, [r11, #-16]
    ESQ_EACH \n, vqshl.s32, q0
    .else
    vldrw.u32 q2, [r11, #-48]
    ESQ_EACH \n, vqrdmulh.s32, q2
    ESQ_ROUND_\round \n, q2
    vldrw.u32 q3, [r11, #-32]
    ESQ_EACH \n, vqadd.s32, q3
    vldrw.u32 q4, [r11, #-16]
    ESQ_EACH \n, vqshl.s32, q4
    .endif
    ESQ_EACH \n, vshr.s32, #24
    ESQ_STORE_\blocks \n
    .endm

    .macro ESQ_END_relu n, blocks
    ESQ_REQUANTIZE \n, relu, \blocks
    .endm

    .macro ESQ_END_signed n, blocks
    ESQ_REQUANTIZE \n, signed, \blocks
    .endm

    .macro ESQ_END_sums n, blocks
    ldr r4, [sp, #ESQ_TABLE_END]
    add r11, r11, #ESQ_ROW_BYTES
    vstrw.32 q5, [r7], #16
    .if \n > 1
    vstrw.32 q6, [r7], #16
    .endif
    .if \n > 2
    vstrw.32 q7, [r7], #16
    .endif
    .endm

/* Before the quads of n pixels: with few blocks lr counts them, and r12 is the pixels' distance. */
    .macro ESQ_BEGIN_any n
    vldrb.8 q0, [r1], #16
    .endm

    .macro ESQ_BEGIN_two n
    ldrd r12, r4, [sp, #ESQ_PIXEL_BYTES] /* and the table's end */
    vldrb.8 q0, [r1], #16
    sub r4, r4, r11
    lsr lr, r4, #6
    .endm

/* r5 and r3 are where the second and third pixel go. */
    .macro ESQ_BEGIN_one n
    ldrd r12, r4, [sp, #ESQ_PIXEL_BYTES]
    sub r4, r4, r11
    lsr lr, r4, #6
    ESQ_LOAD_first q2, r3
    .if \n > 1
    ESQ_LOAD_first q3, r5
    add r5, r7, r12
    .endif
    .if \n > 2
    ESQ_LOAD_first q4, r9
    add r3, r5, r12
    .endif
    .endm

    .macro ESQ_NEXT_any quad
    cmp r11, r4
    bne \quad
    .endm

    .macro ESQ_NEXT_two quad
    le lr, \quad
    .endm

    .macro ESQ_NEXT_one quad
    le lr, \quad
    .endm

/* All quads of n pixels. */
    .macro ESQ_PIXELS n, end, blocks
    ldrd r1, r11, [sp, #ESQ_WEIGHTS] /* and the table */
    ldr r7, [sp, #ESQ_RESULT]
    ESQ_BEGIN_\blocks \n
.Lquad\@:
    ESQ_SUM_\blocks \n, first, forward
    ESQ_INTO \n, 0, 2
    ESQ_SUM_\blocks \n, turn, backward
    ESQ_INTO \n, 1, 3
    ESQ_END_\end \n, \blocks
    ESQ_NEXT_\blocks .Lquad\@
    .endm

    .macro ESQ_KERNEL name, end, blocks
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type \name, %function
    .thumb_func
\name:
    push {r4-r12, lr}
    vpush {d8-d15}
    vldrw.u32 q0, [r1]
    vldrw.u32 q1, [r1, #16]
    vldrw.u32 q2, [r1, #32]
    ldrd r3, r4, [r1, #ESQ_WINDOW] /* and the step */
    ldr r12, [r1, #ESQ_BLOCKS]
    sub sp, sp, #ESQ_FRAME
    mov r0, sp
    vstrw.32 q0, [r0]
    vstrw.32 q1, [r0, #16]
    vstrw.32 q2, [r0, #32]
    sub r12, r12, #1
    add r5, r3, r4
    add r9, r5, r4
    ldr r2, [sp, #ESQ_COUNT]
    subs r2, r2, #3
    blo .Lrest\@
.Lthree\@:
    str r2, [sp, #ESQ_COUNT]
    ESQ_PIXELS 3, \end, \blocks
    ldr r4, [sp, #ESQ_STEP_BYTES]
    add r0, r4, r4, lsl #1
    .ifc \blocks, one
    ldr r3, [sp, #ESQ_WINDOW]
    add r3, r3, r0
    str r3, [sp, #ESQ_WINDOW]
    .else
    add r3, r3, r0
    .endif
    add r5, r3, r4
    add r9, r5, r4
    ldr r0, [sp, #ESQ_RESULT]
    ldr r4, [sp, #ESQ_PIXEL_BYTES]
    add r4, r4, r4, lsl #1
    add r0, r0, r4
    str r0, [sp, #ESQ_RESULT]
    ldr r2, [sp, #ESQ_COUNT]
    subs r2, r2, #3
    bhs .Lthree\@
.Lrest\@:
    adds r2, r2, #2
    bmi .Ldone\@
    beq .Lone\@
    ESQ_PIXELS 2, \end, \blocks
    b .Ldone\@
.Lone\@:
    ESQ_PIXELS 1, \end, \blocks
.Ldone\@:
    add sp, sp, #ESQ_FRAME
    vpop {d8-d15}
    pop {r4-r12, pc}
    .size \name, . - \name
    .endm

    ESQ_KERNEL esq_mve_finish_relu, relu, any
    ESQ_KERNEL esq_mve_finish_relu_1, relu, one
    ESQ_KERNEL esq_mve_finish_relu_2, relu, two
    ESQ_KERNEL esq_mve_finish_signed, signed, any
    ESQ_KERNEL esq_mve_finish_signed_1, signed, one
    ESQ_KERNEL esq_mve_finish_signed_2, signed, two
    ESQ_KERNEL esq_mve_sums, sums, any

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
