/* Words of two pixels on Armv7-M without the DSP extension (Cortex-M3), eight taps a turn.
 * Contract: esq_scalar.h. */
#if defined(__ARM_ARCH_7M__)

#include "../esq_function.inc"

    .macro ESQ_WORD step
    ldrsb.w r4, [r0], #1
    ldrsb.w r5, [r1], #1
    add.w r4, r4, r5, lsl #16
    str r4, [r3], #\step
    .endm

    .macro ESQ_WORDS_OF step
    subs r2, #8
    blo 2f
1:  .rept 8
    ESQ_WORD \step
    .endr
    subs r2, #8
    bhs 1b
2:  adds r2, #8
    beq 4f
3:  ESQ_WORD \step
    subs r2, #1
    bne 3b
4:  pop {r4, r5, pc}
    .endm

    ESQ_FUNCTION esq_scalar_words
    push {r4, r5, lr}
    ldr r4, [sp, #12]
    cmp r4, #1
    bne 5f
    ESQ_WORDS_OF 4
5:  ESQ_WORDS_OF 8
    .size esq_scalar_words, . - esq_scalar_words

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
