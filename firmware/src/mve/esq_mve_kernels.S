/* The inner loops of convolution on MVE. Contract: esq_mve.h.
 *
 * Two channels times n pixels, 16 values at a time. Instructions per MAC in the loop, LE included:
 * 0.125 with n = 3, 0.141 with n = 2, 0.188 with n = 1. Loads and multiplications alternate, since
 * the core overlaps one with the other. Three pixels fill the six even registers that VMLADAV can
 * add to beside the counters.
 * The first block is peeled: VMLADAV without A needs no sums cleared. The second pair of channels
 * walks the windows backwards, so that no pointer is ever put back. Sums go straight into vectors
 * of four channels, which are requantized in place.
 */
#if defined(__ARM_FEATURE_MVE)

    .syntax unified
    .thumb

/* struct esq_mve_job. */
    .equ ESQ_JOB_PIXELS, 0
    .equ ESQ_JOB_BLOCKS, 12
    .equ ESQ_JOB_WEIGHTS, 16
    .equ ESQ_JOB_RESULT, 20
    .equ ESQ_JOB_PIXEL_BYTES, 24
    .equ ESQ_JOB_TABLE, 28
    .equ ESQ_JOB_TABLE_END, 32
    .equ ESQ_JOB_GAP_BYTES, 36

/* Stack frame, below the saved registers. */
    .equ ESQ_PIXEL_BYTES, 0
    .equ ESQ_TABLE_END, 4
    .equ ESQ_GAP, 8
    .equ ESQ_FRAME, 16

/* r1 weights, r3 r5 r9 windows, r7 result, r11 the shifts of a table row, r12 blocks - 1, lr
 * iterations; sums r0 r2, r4 r6, r8 r10: both channels of each pixel, then q5 q6 q7: four of
 * each. */

    .macro ESQ_LOAD_forward to, from
    vldrb.8 \to, [\from], #16
    .endm

    .macro ESQ_LOAD_backward to, from
    vldrb.8 \to, [\from, #-16]!
    .endm

/* One block: 11, 8 or 5 instructions for 2 n x 16 MACs. q0, the first channel's weights, is there
 * before it and after it holds those of the next block: so no two loads stand side by side but for
 * n = 1. */
    .macro ESQ_BLOCK n, way, multiply
    ESQ_LOAD_\way q2, r3
    \multiply r0, q0, q2
    vldrb.8 q1, [r1], #16
    .if \n == 1
    vldrb.8 q0, [r1], #16
    .endif
    \multiply r2, q1, q2
    .if \n > 1
    ESQ_LOAD_\way q3, r5
    \multiply r4, q0, q3
    .endif
    .if \n == 2
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
    vldrb.8 q0, [r1], #16
    \multiply r10, q1, q4
    .endif
    .endm

/* A pair of channels into the lanes `low` and `high` of q5 q6 q7. */
    .macro ESQ_PAIR n, way, low, high
    ESQ_BLOCK \n, \way, vmladav.s8
    wls lr, r12, .Lsummed\@
.Lblock\@:
    ESQ_BLOCK \n, \way, vmladava.s8
    le lr, .Lblock\@
.Lsummed\@:
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

/* `bias` is where the row's bias stands before its shift. */
    .macro ESQ_END_relu n, bias, row_bytes
    vldrw.u32 q1, [r11, #\bias]
    ESQ_EACH \n, vadd.i32, q1
    vldrw.u32 q2, [r11, #-32]
    ESQ_EACH \n, vqrdmulh.s32, q2
    vldrw.u32 q3, [r11, #-16]
    ESQ_EACH \n, vqadd.s32, q3
    vldrw.u32 q4, [r11], #\row_bytes
    ESQ_EACH \n, vqshl.s32, q4
    ldrd r2, r4, [sp, #ESQ_PIXEL_BYTES] /* and the table's end */
    ESQ_EACH \n, vshr.s32, #24
    .if \n > 1
    adds r0, r7, r2
    .endif
    .if \n > 2
    adds r2, r0, r2
    .endif
    vstrb.32 q5, [r7], #4
    .if \n > 1
    vstrb.32 q6, [r0]
    .endif
    .if \n > 2
    vstrb.32 q7, [r2]
    .endif
    .endm

    .macro ESQ_END_sums n, bias, row_bytes
    ldr r4, [sp, #ESQ_TABLE_END]
    add r11, r11, #\row_bytes
    vstrw.32 q5, [r7], #16
    .if \n > 1
    vstrw.32 q6, [r7], #16
    .endif
    .if \n > 2
    vstrw.32 q7, [r7], #16
    .endif
    .endm

    .macro ESQ_SKIP
    ldr r2, [sp, #ESQ_GAP]
    add r1, r1, r2
    .endm

    .macro ESQ_KERNEL name, n, end, bias, row_bytes, gap
    .section .text.\name\()_\n, "ax", %progbits
    .balign 4
    .global \name\()_\n
    .type \name\()_\n, %function
    .thumb_func
\name\()_\n:
    push {r4-r12, lr}
    vpush {d8-d15}
    ldrd r2, r3, [r0, #ESQ_JOB_GAP_BYTES]
    push {r2, r3}
    ldr r3, [r0, #ESQ_JOB_TABLE_END]
    add r3, r3, #\row_bytes - 16
    ldr r2, [r0, #ESQ_JOB_PIXEL_BYTES]
    push {r2, r3}
    ldr r3, [r0, #ESQ_JOB_PIXELS]
    ldr r5, [r0, #ESQ_JOB_PIXELS + 4]
    ldr r9, [r0, #ESQ_JOB_PIXELS + 8]
    ldr r12, [r0, #ESQ_JOB_BLOCKS]
    sub r12, r12, #1
    ldr r1, [r0, #ESQ_JOB_WEIGHTS]
    ldr r7, [r0, #ESQ_JOB_RESULT]
    ldr r11, [r0, #ESQ_JOB_TABLE]
    add r11, r11, #\row_bytes - 16
    vldrb.8 q0, [r1], #16
.Lquad\@:
    .ifc \gap, above
    vldrb.8 q0, [r1, #-16]  /* not where ESQ_SKIP stands: behind the last quad nothing is there */
    .endif
    ESQ_PAIR \n, forward, 0, 2
    .ifc \gap, below
    ESQ_SKIP
    vldrb.8 q0, [r1, #-16]
    .endif
    ESQ_PAIR \n, backward, 1, 3
    .ifc \gap, above
    ESQ_SKIP
    .endif
    ESQ_END_\end \n, \bias, \row_bytes
    cmp r11, r4
    bne .Lquad\@
    add sp, sp, #ESQ_FRAME
    vpop {d8-d15}
    pop {r4-r12, pc}
    .size \name\()_\n, . - \name\()_\n
    .endm

    .macro ESQ_KERNELS n
    ESQ_KERNEL esq_mve_relu, \n, relu, -48, 64
    ESQ_KERNEL esq_mve_inner, \n, relu, -48, 96
    ESQ_KERNEL esq_mve_above, \n, relu, -64, 96, above
    ESQ_KERNEL esq_mve_below, \n, relu, -80, 96, below
    ESQ_KERNEL esq_mve_sums, \n, sums, 0, 64
    .endm

    ESQ_KERNELS 1
    ESQ_KERNELS 2
    ESQ_KERNELS 3

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
