/* Words of two pixels on Armv6-M. Contract: esq_scalar.h. Six instructions for a word: bytes are
 * loaded with their sign, so no address need be aligned. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)

    .syntax unified
    .thumb

/* r0 lower, r1 upper, r6 and r7 one behind; r2 index, r3 words. */
    .macro ESQ_WORD lower, upper, offset
    ldrsb r4, [\lower, r2]
    ldrsb r5, [\upper, r2]
    lsls r5, r5, #16
    adds r4, r4, r5
    str r4, [r3, #\offset]
    .endm

    .macro ESQ_WORDS step
    b 2f
1:  ESQ_WORD r0, r1, 0          /* one at a time until 4 divides what is left */
    adds r3, r3, #4 * \step
    adds r2, r2, #1
2:  lsls r4, r2, #30
    bne 1b
    cmp r2, #0
    beq 4f
3:  ESQ_WORD r0, r1, 0
    ESQ_WORD r6, r7, 4 * \step
    adds r2, r2, #2
    ESQ_WORD r0, r1, 8 * \step
    ESQ_WORD r6, r7, 12 * \step
    adds r3, r3, #16 * \step
    adds r2, r2, #2
    bne 3b
4:  pop {r4-r7, pc}
    .endm

    .section .text.esq_scalar_words, "ax", %progbits
    .balign 4
    .global esq_scalar_words
    .type esq_scalar_words, %function
    .thumb_func
esq_scalar_words:
    push {r4-r7, lr}
    adds r0, r0, r2
    adds r1, r1, r2
    rsbs r2, r2, #0
    adds r6, r0, #1
    adds r7, r1, #1
    ldr r4, [sp, #20]           /* step */
    cmp r4, #1
    bne .Ltwo
    ESQ_WORDS 1
.Ltwo:
    ESQ_WORDS 2
    .size esq_scalar_words, . - esq_scalar_words

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
