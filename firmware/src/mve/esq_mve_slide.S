/* Convolution on MVE by windows of three columns, one column apart. Contract: esq_mve.h.
 *
 * Neighbouring windows share columns: each block of 16 values is loaded once, and multiplied for
 * every pixel whose window it lies in. Two channels times three pixels: five columns and six blocks
 * of weights are loaded for 18 multiplications. Instructions per MAC in the loop, LE included:
 * 0.104 for three pixels, 0.120 for two, 0.167 for one. As weights take up the vector registers,
 * sums go to vectors of four channels by way of memory.
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
    .equ ESQ_TURN_BYTES, 36
    .equ ESQ_END_BYTES, 40
    .equ ESQ_BIAS, 44
    .equ ESQ_NOW, 48   /* of the table, and the result */
    .equ ESQ_BIAS_NOW, 56
    .equ ESQ_SUMS, 64  /* int32 [3][4] */
    .equ ESQ_FRAME, 112

    .equ ESQ_ROW_BYTES, 64 /* of the table */

/* r1 weights, r3 r5 r7 r9 r11 columns, r12 blocks of a column - 1, lr iterations; sums r0 r2,
 * r4 r6, r8 r10: both channels of each pixel; q0 to q5 weights of the window's columns, q6 and q7
 * values. */

    .macro ESQ_LOAD_forward to, from
    vldrb.8 \to, [\from], #16
    .endm

    .macro ESQ_LOAD_backward to, from
    vldrb.8 \to, [\from, #-16]!
    .endm

/* One block of each column. q0, the first weights, is there before it, and those of the next block
 * after it. `multiply` begins sums or adds to them. */
    .macro ESQ_BLOCK_3 way, multiply
    ESQ_LOAD_\way q6, r3
    \multiply r0, q0, q6
    vldrb.8 q1, [r1], #16
    \multiply r2, q1, q6
    ESQ_LOAD_\way q7, r5
    \multiply r4, q0, q7
    vldrb.8 q2, [r1], #16
    \multiply r6, q1, q7
    vmladava.s8 r0, q2, q7
    vldrb.8 q3, [r1], #16
    vmladava.s8 r2, q3, q7
    ESQ_LOAD_\way q6, r7
    \multiply r8, q0, q6
    vldrb.8 q4, [r1], #16
    \multiply r10, q1, q6
    vmladava.s8 r4, q2, q6
    vldrb.8 q5, [r1], #16
    vmladava.s8 r6, q3, q6
    vmladava.s8 r0, q4, q6
    ESQ_LOAD_\way q7, r9
    vmladava.s8 r2, q5, q6
    vmladava.s8 r8, q2, q7
    ESQ_LOAD_\way q6, r11
    vmladava.s8 r10, q3, q7
    vmladava.s8 r4, q4, q7
    vmladava.s8 r6, q5, q7
    vldrb.8 q0, [r1], #16
    vmladava.s8 r8, q4, q6
    vmladava.s8 r10, q5, q6
    .endm

    .macro ESQ_BLOCK_2 way, multiply
    ESQ_LOAD_\way q6, r3
    \multiply r0, q0, q6
    vldrb.8 q1, [r1], #16
    \multiply r2, q1, q6
    ESQ_LOAD_\way q7, r5
    \multiply r4, q0, q7
    vldrb.8 q2, [r1], #16
    \multiply r6, q1, q7
    vldrb.8 q3, [r1], #16
    vmladava.s8 r0, q2, q7
    ESQ_LOAD_\way q6, r7
    vmladava.s8 r2, q3, q7
    vldrb.8 q4, [r1], #16
    vmladava.s8 r4, q2, q6
    vldrb.8 q5, [r1], #16
    vmladava.s8 r6, q3, q6
    ESQ_LOAD_\way q7, r9
    vmladava.s8 r0, q4, q6
    vmladava.s8 r2, q5, q6
    vldrb.8 q0, [r1], #16
    vmladava.s8 r4, q4, q7
    vmladava.s8 r6, q5, q7
    .endm

    .macro ESQ_BLOCK_1 way, multiply
    ESQ_LOAD_\way q6, r3
    \multiply r0, q0, q6
    vldrb.8 q1, [r1], #16
    \multiply r2, q1, q6
    vldrb.8 q2, [r1], #16
    ESQ_LOAD_\way q7, r5
    vmladava.s8 r0, q2, q7
    vldrb.8 q3, [r1], #16
    vmladava.s8 r2, q3, q7
    vldrb.8 q4, [r1], #16
    ESQ_LOAD_\way q6, r7
    vmladava.s8 r0, q4, q6
    vldrb.8 q5, [r1], #16
    vmladava.s8 r2, q5, q6
    vldrb.8 q0, [r1], #16
    .endm

/* The sums of a pair of channels, to `place` of the four. */
    .macro ESQ_PAIR n, way, place
    ESQ_BLOCK_\n \way, vmladav.s8
    wls lr, r12, .Lsummed\@
.Lblock\@:
    ESQ_BLOCK_\n \way, vmladava.s8
    le lr, .Lblock\@
.Lsummed\@:
    strd r0, r2, [sp, #ESQ_SUMS + \place]
    .if \n > 1
    strd r4, r6, [sp, #ESQ_SUMS + 16 + \place]
    .endif
    .if \n > 2
    strd r8, r10, [sp, #ESQ_SUMS + 32 + \place]
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
    .macro ESQ_NUDGE sums
    vshr.s32 q4, \sums, #31
    vqadd.s32 \sums, \sums, q4
    .endm

    .macro ESQ_REQUANTIZE n, end
    ldrd r0, r2, [sp, #ESQ_NOW]
    add r10, sp, #ESQ_SUMS
    vldrw.u32 q5, [r10]
    .if \n > 1
    vldrw.u32 q6, [r10, #16]
    .endif
    .if \n > 2
    vldrw.u32 q7, [r10, #32]
    .endif
    .ifc \end, edge
    ldr r4, [sp, #ESQ_BIAS_NOW]
    add r0, r0, #ESQ_ROW_BYTES
    vldrw.u32 q1, [r4], #32
    str r4, [sp, #ESQ_BIAS_NOW]
    .else
    vldrw.u32 q1, [r0], #ESQ_ROW_BYTES
    .endif
    ESQ_EACH \n, vadd.i32, q1
    vldrw.u32 q2, [r0, #-48]
    ESQ_EACH \n, vqrdmulh.s32, q2
    .ifc \end, signed
    ESQ_NUDGE q5
    .if \n > 1
    ESQ_NUDGE q6
    .endif
    .if \n > 2
    ESQ_NUDGE q7
    .endif
    .endif
    vldrw.u32 q3, [r0, #-32]
    ESQ_EACH \n, vqadd.s32, q3
    vldrw.u32 q4, [r0, #-16]
    ESQ_EACH \n, vqshl.s32, q4
    ldrd r4, r8, [sp, #ESQ_PIXEL_BYTES] /* and the table's end */
    ESQ_EACH \n, vshr.s32, #24
    .if \n > 1
    adds r6, r2, r4
    .endif
    .if \n > 2
    adds r4, r6, r4
    .endif
    vstrb.32 q5, [r2], #4
    .if \n > 1
    vstrb.32 q6, [r6]
    .endif
    .if \n > 2
    vstrb.32 q7, [r4]
    .endif
    strd r0, r2, [sp, #ESQ_NOW]
    .endm

    .macro ESQ_SKIP bytes
    ldr lr, [sp, #\bytes]
    add r1, r1, lr
    .endm

/* All quads of n pixels. */
    .macro ESQ_PIXELS n, end
    ldrd r1, r0, [sp, #ESQ_WEIGHTS] /* and the table */
    ldr r2, [sp, #ESQ_RESULT]
    strd r0, r2, [sp, #ESQ_NOW]
    .ifc \end, edge
    ldr r0, [sp, #ESQ_BIAS]
    str r0, [sp, #ESQ_BIAS_NOW]
    .endif
    vldrb.8 q0, [r1], #16
.Lquad\@:
    ESQ_PAIR \n, forward, 0
    .ifc \end, edge
    ESQ_SKIP ESQ_TURN_BYTES
    vldrb.8 q0, [r1, #-16]
    .endif
    ESQ_PAIR \n, backward, 8
    .ifc \end, edge
    ESQ_SKIP ESQ_END_BYTES
    .endif
    ESQ_REQUANTIZE \n, \end
    cmp r0, r8
    .ifc \end, edge
    beq .Lquads\@
    vldrb.8 q0, [r1, #-16] /* not behind the last quad, where nothing is */
    b .Lquad\@
    .else
    bne .Lquad\@
    .endif
.Lquads\@:
    .endm

    .macro ESQ_KERNEL name, end
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
    add r7, r5, r4
    add r9, r7, r4
    add r11, r9, r4
    ldr r2, [sp, #ESQ_COUNT]
    subs r2, r2, #3
    blo .Lrest\@
.Lthree\@:
    str r2, [sp, #ESQ_COUNT]
    ESQ_PIXELS 3, \end
    ldr r4, [sp, #ESQ_STEP_BYTES]
    add r4, r4, r4, lsl #1
    add r3, r3, r4
    add r5, r5, r4
    add r7, r7, r4
    add r9, r9, r4
    add r11, r11, r4
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
    ESQ_PIXELS 2, \end
    b .Ldone\@
.Lone\@:
    ESQ_PIXELS 1, \end
.Ldone\@:
    add sp, sp, #ESQ_FRAME
    vpop {d8-d15}
    pop {r4-r12, pc}
    .size \name, . - \name
    .endm

    ESQ_KERNEL esq_mve_slide_relu, relu
    ESQ_KERNEL esq_mve_slide_edge, edge
    ESQ_KERNEL esq_mve_finish_slide_signed, signed

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
