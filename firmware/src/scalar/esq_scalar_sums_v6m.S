/* Words and sums of the scalar kernels on Armv6-M. Contract: esq_scalar.h.
 *
 * Two taps of a channel for four pixels take 19 instructions, 2.38 for each multiply-accumulate;
 * four taps for two pixels take 21, 2.63. A group's products t add up whole, and their upper halves
 * rounded: ASRS leaves bit 15 of t in the carry and ADCS adds it, so there is no constant to add.
 * ADCS takes low registers only, which is why the sums of upper halves have two of them.
 * Groups are unrolled; a run of another length jumps into the middle.
 */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)

    .syntax unified
    .thumb

/* struct esq_scalar_job */
    .equ ESQ_JOB_TAPS, 8
    .equ ESQ_JOB_GAP, 12
    .equ ESQ_JOB_CHANNELS, 16
    .equ ESQ_JOB_SUMS, 20
    .equ ESQ_JOB_ADDS, 24

/* Stack frame. */
    .equ ESQ_WINDOWS, 0
    .equ ESQ_BEGIN, 4       /* what a channel begins with: the loop's entry, or `adds` before it */
    .equ ESQ_ENTRY, 8
    .equ ESQ_NEXT, 12       /* from the end of a channel's weights to where the next one is begun */
    .equ ESQ_CHANNEL, 16    /* bytes from a channel to the next one */
    .equ ESQ_SUMS_END, 20
    .equ ESQ_FRAME, 24

    .equ ESQ_UNROLLED_TAPS, 8

/* r0 windows, r1 weights, r6 and r7 sums of upper halves, r8 and r9 of whole products, r12 sums,
 * lr where the channel's weights end. */

/* Weights 2 * \index and the next of r1, four pixels. */
    .macro ESQ_GROUP_4 index
    ldrh r3, [r1, #2 * \index]
    sxtb r2, r3
    ldmia r0!, {r4, r5}
    muls r4, r2, r4
    muls r5, r2, r5
    sxth r3, r3
    asrs r3, r3, #8
    ldmia r0!, {r2}
    muls r2, r3, r2
    adds r4, r4, r2
    add r8, r8, r4
    asrs r4, r4, #16
    adcs r6, r6, r4
    ldmia r0!, {r2}
    muls r2, r3, r2
    adds r5, r5, r2
    add r9, r9, r5
    asrs r5, r5, #16
    adcs r7, r7, r5
    .endm

    .macro ESQ_LOOP_4
    .irp index, 0, 1, 2, 3
    ESQ_GROUP_4 \index
    .endr
    adds r1, r1, #ESQ_UNROLLED_TAPS
    .endm

    .macro ESQ_PAIR_2 first, second
    ldmia r0!, {r4, r5}
    muls r4, \first, r4
    muls r5, \second, r5
    adds r4, r4, r5
    add r8, r8, r4
    asrs r4, r4, #16
    adcs r6, r6, r4
    .endm

    .macro ESQ_LOOP_2
    .rept ESQ_UNROLLED_TAPS / 4
    ldmia r1!, {r3}
    sxtb r2, r3
    asrs r3, r3, #8
    sxtb r7, r3
    asrs r3, r3, #8
    ESQ_PAIR_2 r2, r7
    sxtb r2, r3
    asrs r3, r3, #8
    ESQ_PAIR_2 r2, r3
    .endr
    .endm

/* Sums of a channel from and to r4 to r7: the first of a pair is what the products' sum is more
 * than 65536 times the second. */
    .macro ESQ_SUMS_4
    mov r4, r8
    lsls r5, r6, #16
    subs r4, r4, r5
    movs r5, r6
    mov r6, r9
    lsls r3, r7, #16
    subs r6, r6, r3
    .endm

    .macro ESQ_RESUME_4
    ldmia r3!, {r4, r5}
    lsls r2, r5, #16
    add r8, r4
    add r8, r2
    ldmia r3!, {r4, r7}
    lsls r2, r7, #16
    add r9, r4
    add r9, r2
    mov r6, r5
    .endm

    .macro ESQ_SUMS_2
    mov r4, r8
    lsls r5, r6, #16
    subs r4, r4, r5
    movs r5, r6
    .endm

    .macro ESQ_RESUME_2
    ldmia r3!, {r4, r6}
    lsls r2, r6, #16
    add r8, r4
    add r8, r2
    .endm

/* `skips`: 1 where the weights' address is one of an iteration's first taps, so that what the
 * first iteration leaves out is taken off it. */
    .macro ESQ_SUMS pixels, last, taps4_bytes, skips
    .section .text.esq_scalar_sums_\pixels, "ax", %progbits
    .balign 4
    .global esq_scalar_sums_\pixels
    .type esq_scalar_sums_\pixels, %function
    .thumb_func
esq_scalar_sums_\pixels:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    push {r4, r5}
    sub sp, sp, #ESQ_FRAME
    ldr r3, [r0, #ESQ_JOB_TAPS]
    rsbs r2, r3, #0
    movs r4, #ESQ_UNROLLED_TAPS - 1
    ands r2, r2, r4             /* taps left out of the first iteration */
    lsrs r4, r2, #2
    movs r5, #\taps4_bytes
    muls r4, r5, r4
    adr r5, .Lloop_\pixels
    adds r4, r4, r5
    str r4, [sp, #ESQ_ENTRY]
    ldr r5, [r0, #ESQ_JOB_ADDS]
    cmp r5, #0
    beq 1f
    adr r4, .Lresume_\pixels
1:  str r4, [sp, #ESQ_BEGIN]
    ldr r4, [r0, #ESQ_JOB_GAP]
    adds r5, r3, r4
    str r5, [sp, #ESQ_CHANNEL]
    ldmia r0!, {r5, r6}         /* windows, weights */
    str r5, [sp, #ESQ_WINDOWS]
    adds r7, r6, r3
    mov lr, r7
    .if \skips
    subs r4, r4, r2
    subs r6, r6, r2
    .endif
    str r4, [sp, #ESQ_NEXT]
    mov r1, r6
    ldr r4, [r0, #ESQ_JOB_CHANNELS - 8]
    ldr r5, [r0, #ESQ_JOB_SUMS - 8]
    mov r12, r5
    .if \pixels == 4
    lsls r4, r4, #4
    .else
    lsls r4, r4, #3
    .endif
    adds r4, r4, r5
    str r4, [sp, #ESQ_SUMS_END]

.Lchannel_\pixels:
    ldr r0, [sp, #ESQ_WINDOWS]
    movs r6, #0
    mov r8, r6
    .if \pixels == 4
    movs r7, #0
    mov r9, r6
    .endif
    ldr r2, [sp, #ESQ_BEGIN]
    mov pc, r2

    .balign 4
.Lloop_\pixels:
    ESQ_LOOP_\pixels
    cmp r1, lr
    bne .Lloop_\pixels
    ESQ_SUMS_\pixels
    mov r3, r12
    stmia r3!, {r4-r\last}
    mov r12, r3
    ldr r2, [sp, #ESQ_NEXT]
    adds r1, r1, r2
    ldr r2, [sp, #ESQ_CHANNEL]
    add lr, lr, r2
    ldr r2, [sp, #ESQ_SUMS_END]
    cmp r3, r2
    bne .Lchannel_\pixels

    add sp, sp, #ESQ_FRAME
    pop {r4, r5}
    mov r8, r4
    mov r9, r5
    pop {r4-r7, pc}

    .balign 4
.Lresume_\pixels:
    mov r3, r12
    ESQ_RESUME_\pixels
    ldr r2, [sp, #ESQ_ENTRY]
    mov pc, r2
    .size esq_scalar_sums_\pixels, . - esq_scalar_sums_\pixels
    .endm

    ESQ_SUMS 4, 7, 76, 1
    ESQ_SUMS 2, 5, 42, 0

/* A lone pixel: four channels share the loads of its values, 14 instructions a tap. r0 values and
 * r1 to r4 weights, past their taps; r5 taps left, negative; r8 to r11 sums; r12 job, lr sums. */
    .macro ESQ_TAP_1 weights, sum
    ldrsb r7, [\weights, r5]
    muls r7, r6, r7
    add \sum, \sum, r7
    .endm

/* Stores \sum, or adds it where r5 is not 0. */
    .macro ESQ_STORE_1 sum
    mov r6, \sum
    cmp r5, #0
    beq 1f
    ldr r4, [r7]
    adds r6, r6, r4
1:  stmia r7!, {r6}
    .endm

    .equ ESQ_LEFT, 0            /* channels */
    .equ ESQ_LONE_FRAME, 8

    .section .text.esq_scalar_sums_1, "ax", %progbits
    .balign 4
    .global esq_scalar_sums_1
    .type esq_scalar_sums_1, %function
    .thumb_func
esq_scalar_sums_1:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    sub sp, sp, #ESQ_LONE_FRAME
    mov r12, r0
    ldr r1, [r0, #ESQ_JOB_SUMS]
    mov lr, r1
    ldr r2, [r0, #ESQ_JOB_CHANNELS]
    ldmia r0!, {r6, r7}         /* windows, weights */
    ldr r5, [r0, #ESQ_JOB_TAPS - 8]
    adds r1, r7, r5
    adds r0, r6, r5

.Llone_next:                    /* r1 past the next channel's taps, r2 channels left */
    mov r7, r12
    ldr r5, [r7, #ESQ_JOB_TAPS]
    ldr r6, [r7, #ESQ_JOB_GAP]
    adds r6, r6, r5
    rsbs r5, r5, #0
    movs r4, #0
    mov r8, r4
    subs r2, r2, #4
    blo .Llone_one
    str r2, [sp, #ESQ_LEFT]
    mov r9, r4
    mov r10, r4
    mov r11, r4
    adds r2, r1, r6
    adds r3, r2, r6
    adds r4, r3, r6
2:  .rept 4
    ldrsb r6, [r0, r5]
    ESQ_TAP_1 r1, r8
    ESQ_TAP_1 r2, r9
    ESQ_TAP_1 r3, r10
    ESQ_TAP_1 r4, r11
    adds r5, r5, #1
    .endr
    bne 2b
    mov r7, r12
    ldr r5, [r7, #ESQ_JOB_TAPS]
    ldr r6, [r7, #ESQ_JOB_GAP]
    adds r1, r4, r5
    adds r1, r1, r6
    ldr r5, [r7, #ESQ_JOB_ADDS]
    mov r7, lr
    .irp sum, r8, r9, r10, r11
    ESQ_STORE_1 \sum
    .endr
    mov lr, r7
    ldr r2, [sp, #ESQ_LEFT]
    cmp r2, #0
    beq .Llone_done
    b .Llone_next

.Llone_done:
    add sp, sp, #ESQ_LONE_FRAME
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}

.Llone_one:                     /* one channel at a time, r2 those left less 4 */
    adds r3, r1, r6
4:  ldrsb r6, [r0, r5]
    ESQ_TAP_1 r1, r8
    adds r5, r5, #1
    bne 4b
    mov r1, r3
    mov r7, r12
    ldr r5, [r7, #ESQ_JOB_ADDS]
    mov r7, lr
    ESQ_STORE_1 r8
    mov lr, r7
    adds r2, r2, #3
    beq .Llone_done
    b .Llone_next
    .size esq_scalar_sums_1, . - esq_scalar_sums_1

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
