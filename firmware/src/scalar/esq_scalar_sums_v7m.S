/* Sums of the scalar kernels on Armv7-M without the DSP extension (Cortex-M3).
 * Contract: esq_scalar.h.
 *
 * Per multiply-accumulate, without what a channel needs once (cycles by the TRM, DDI 0337: MLA 2,
 * a load 2 but 1 behind another one, LDM 1 + N, a branch 3):
 *      pixels   instructions   cycles
 *           4           1.42     2.58
 *           3           1.56     3.10
 *           2           1.72     2.91
 *           1           2.44     4.81
 * Taps are unrolled; a run of another length jumps into the middle, so that short runs pay no
 * second loop. What a channel needs once stands on the stack.
 */
#if defined(__ARM_ARCH_7M__)

#include "../esq_function.inc"

/* Stack frame of the sums, after the saved registers. */
    .equ ESQ_ADDS, 0
    .equ ESQ_SUMS, 4
    .equ ESQ_SUMS_END, 8
    .equ ESQ_STEP, 12       /* of the weights, from a channel's end to the next one's beginning */
    .equ ESQ_WINDOWS, 16
    .equ ESQ_LESS, 20       /* what is added to a sum for rounding, negative */
    .equ ESQ_ENTRY, 24
    .equ ESQ_FRAME, 28

    .equ ESQ_UNROLLED, 16   /* taps */

/* r0 words, r1 weights less the taps jumped over, r4 and r5 sums of the first pair (all, upper),
 * r6 and r7 of the second, r12 end of the words, lr 2^15; r2, r3, r8-r11 weights and words.
 * 22 instructions for 16 multiply-accumulates, 80 bytes. */
    .macro ESQ_TWO_TAPS tap
    ldrsb r2, [r1, #\tap]
    ldrsb r3, [r1, #\tap + 1]
    ldmia.w r0!, {r8, r9, r10, r11}
    mla r8, r8, r2, lr
    mla r9, r9, r2, lr
    mla r8, r10, r3, r8
    mla r9, r11, r3, r9
    add r4, r8
    add r6, r9
    add.w r5, r5, r8, asr #16
    add.w r7, r7, r9, asr #16
    .endm

    .macro ESQ_FOUR_TAPS_4 tap
    ESQ_TWO_TAPS \tap
    ESQ_TWO_TAPS \tap + 2
    .endm

/* One pair: 13 instructions for 8 multiply-accumulates, 48 bytes. */
    .macro ESQ_FOUR_TAPS_2 tap
    ldrsb r2, [r1, #\tap]
    ldrsb r3, [r1, #\tap + 1]
    ldrsb r6, [r1, #\tap + 2]
    ldrsb r7, [r1, #\tap + 3]
    ldmia.w r0!, {r8, r9, r10, r11}
    mla r8, r8, r2, lr
    mla r10, r10, r6, lr
    mla r8, r9, r3, r8
    mla r10, r11, r7, r10
    add r4, r8
    add.w r5, r5, r8, asr #16
    add r4, r10
    add.w r5, r5, r10, asr #16
    .endm

/* A pair and a pixel alone, which its words have twice: 18 instructions for 12
 * multiply-accumulates, 68 bytes. */
    .macro ESQ_TWO_TAPS_3 tap
    ldrsb r2, [r1, #\tap]
    ldrsb r3, [r1, #\tap + 1]
    ldmia.w r0!, {r8, r9, r10, r11}
    mla r8, r8, r2, lr
    mla r6, r9, r2, r6
    mla r8, r10, r3, r8
    mla r6, r11, r3, r6
    add r4, r8
    add.w r5, r5, r8, asr #16
    .endm

    .macro ESQ_FOUR_TAPS_3 tap
    ESQ_TWO_TAPS_3 \tap
    ESQ_TWO_TAPS_3 \tap + 2
    .endm

/* A channel's sums begin, end, and are stored at r2. */
    .macro ESQ_BEGIN_4
    mov r6, r4
    movs r5, #0
    movs r7, #0
    .endm

    .macro ESQ_PARTED_4
    sub.w r4, r4, r5, lsl #16
    sub.w r6, r6, r7, lsl #16
    .endm

    .macro ESQ_STORE_4
    stmia r2!, {r4, r5, r6, r7}
    .endm

    .macro ESQ_ADD_4
    ldmia.w r2, {r8, r9, r10, r11}
    add r4, r8
    add r5, r9
    add r6, r10
    add r7, r11
    .endm

    .macro ESQ_BEGIN_3
    movs r5, #0
    movs r6, #0
    .endm

    .macro ESQ_PARTED_3
    sub.w r4, r4, r5, lsl #16
    sub.w r6, r6, r6, lsl #16               /* 65537 sums: 65537 * -65535 is 1 modulo 2^32 */
    .endm

    .macro ESQ_STORE_3
    ESQ_STORE_4
    .endm

    .macro ESQ_ADD_3
    ESQ_ADD_4
    .endm

    .macro ESQ_BEGIN_2
    movs r5, #0
    .endm

    .macro ESQ_PARTED_2
    sub.w r4, r4, r5, lsl #16
    .endm

    .macro ESQ_STORE_2
    stmia r2!, {r4, r5}
    .endm

    .macro ESQ_ADD_2
    ldrd r8, r9, [r2]
    add r4, r8
    add r5, r9
    .endm

/* n pixels: 2^tap_shift bytes of words a tap, 2^sums_shift of sums, `code` bytes of four taps. */
    .macro ESQ_SUMS_OF pixels, tap_shift, sums_shift, code
    ESQ_FUNCTION esq_scalar_sums_\pixels
    push {r4-r11, lr}
    sub sp, #ESQ_FRAME
    ldmia.w r0, {r4, r5, r6, r7, r8, r9, r10} /* the job's fields in order */
    mov.w lr, #0x8000
    add.w r12, r4, r6, lsl #\tap_shift
    add.w r8, r9, r8, lsl #\sums_shift
    rsbs r2, r6, #0
    and r3, r2, #ESQ_UNROLLED - 1           /* taps jumped over */
    lsls r2, r2, #14                        /* 2^15 for every two taps */
    strd r4, r2, [sp, #ESQ_WINDOWS]
    subs r1, r5, r3
    subs r7, r7, r3
    strd r8, r7, [sp, #ESQ_SUMS_END]
    strd r10, r9, [sp, #ESQ_ADDS]
    adr.w r2, 2f + 1
    mov.w r4, #\code / 4
    mla r2, r3, r4, r2
    str r2, [sp, #ESQ_ENTRY]
1:  ldrd r0, r4, [sp, #ESQ_WINDOWS]
    ESQ_BEGIN_\pixels
    ldr.w pc, [sp, #ESQ_ENTRY]
    .balign 4
2:
    ESQ_FOUR_TAPS_\pixels 0
    ESQ_FOUR_TAPS_\pixels 4
    ESQ_FOUR_TAPS_\pixels 8
    ESQ_FOUR_TAPS_\pixels 12
3:
    .if 3b - 2b - 4 * \code
    .error "the entry is computed from the bytes of four taps"
    .endif
    adds r1, #ESQ_UNROLLED
    cmp r0, r12
    bne 2b
    ldmia.w sp, {r0, r2, r3, r8}           /* adds, sums, their end, step */
    ESQ_PARTED_\pixels
    add r1, r8
    cbnz r0, 5f
4:  ESQ_STORE_\pixels
    str r2, [sp, #ESQ_SUMS]
    cmp r2, r3
    bne 1b
    add sp, #ESQ_FRAME
    pop {r4-r11, pc}
5:  ESQ_ADD_\pixels
    b 4b
    .size esq_scalar_sums_\pixels, . - esq_scalar_sums_\pixels
    .endm

    ESQ_SUMS_OF 4, 3, 4, 80
    ESQ_SUMS_OF 3, 3, 4, 68
    ESQ_SUMS_OF 2, 2, 3, 48

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
