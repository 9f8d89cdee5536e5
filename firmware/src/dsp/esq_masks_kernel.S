/* The inner loop of esq_stream.c for streams with masks: 13 instructions for four zeros, 9 right
 * behind such, 17 to 18 for one weight among them, 26 for two, 32 for three, 41 for four.
 *
 * Of 25 bits that one load gives, a mask takes at most 7 and a weight at most 11: so behind a mask
 * of four zeros there is another mask, then one weight; or after a further load three weights, and
 * so on.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

/* struct esq_bits. */
    .equ ESQ_PLACE, 12
    .equ ESQ_MASKS, 24

    .equ ESQ_MASK_BITS, 7

/* r1 to, r2 end, r3 table, r4 mask, r5 bits, r6 place, r10 masks, r12 0; r8 the bits from the place
 * on. */
    .macro ESQ_WINDOW
    lsrs r7, r6, #3
    ldr r8, [r5, r7]
    and r7, r6, #7
    lsr r8, r8, r7
    .endm

/* Which weights of the next word are not zero: r9, and whether it is any. */
    .macro ESQ_MASK
    ubfx r7, r8, #0, #ESQ_MASK_BITS
    ldrh r9, [r10, r7, lsl #1]
    uxtab r6, r6, r9
    lsr r8, r8, r9
    lsrs r9, r9, #8
    .endm

/* The next weight, in the upper half of \entry; r8 moves on where it is `kept`. */
    .macro ESQ_WEIGHT entry, window
    and \entry, r8, r4
    ldr \entry, [r3, \entry, lsl #2]
    uxtab r6, r6, \entry
    .ifc \window, kept
    lsr r8, r8, \entry
    .endif
    .endm

/* The word r7 is written. */
    .macro ESQ_NEXT
    stmia r1!, {r7}
    cmp r1, r2
    bne.w .Lloop
    b.w .Ldone
    .endm

    .macro ESQ_ONE number, entry
.Lmask_\number:
    ESQ_WEIGHT \entry
    .endm

    .macro ESQ_TWO number, first, second
.Lmask_\number:
    ESQ_WEIGHT \first
    ESQ_WINDOW
    ESQ_WEIGHT \second
    .endm

    .macro ESQ_THREE number, first, second, third
.Lmask_\number:
    ESQ_WEIGHT \first
    ESQ_WINDOW
    ESQ_WEIGHT \second, kept
    ESQ_WEIGHT \third
    .endm

/* What the table has in its upper half is a weight as the first of two. */
    .macro ESQ_SECOND entry
    lsl \entry, \entry, #8
    .endm

    .macro ESQ_BOTH first, second
    add \first, \first, \second, lsl #8
    .endm

    .macro ESQ_HALVES lower, upper
    pkhtb r7, \upper, \lower, asr #16
    ESQ_NEXT
    .endm

    .macro ESQ_LOWER entry
    lsr r7, \entry, #16
    ESQ_NEXT
    .endm

    .macro ESQ_UPPER entry
    pkhtb r7, \entry, r12, asr #16
    ESQ_NEXT
    .endm

/* void esq_dsp_decode_masks(struct esq_bits *decoder, uint32_t *to, const uint32_t *end)
 * Weights of a word are r9, r11, r0, lr. */
    .section .text.esq_dsp_decode_masks, "ax", %progbits
    .balign 4
    .global esq_dsp_decode_masks
    .type esq_dsp_decode_masks, %function
    .thumb_func
esq_dsp_decode_masks:
    push {r0, r4-r11, lr}
    ldr r6, [r0, #ESQ_PLACE]
    ldr r10, [r0, #ESQ_MASKS]
    ldmia r0, {r3, r4, r5}
    mov r12, #0
    cmp r1, r2
    beq.w .Ldone
.Lloop:
    ESQ_WINDOW
    ESQ_MASK
.Lchoose:
    tbh [pc, r9, lsl #1]
.Lchoices:
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .short (.Lmask_\number - .Lchoices) / 2
    .endr

.Lmask_0:
    str r12, [r1], #4
    cmp r1, r2
    beq.w .Ldone
    ESQ_MASK
    bne .Lchoose
    str r12, [r1], #4
    cmp r1, r2
    bne .Lloop
.Ldone:
    pop {r0}
    str r6, [r0, #ESQ_PLACE]
    pop {r4-r11, pc}

    ESQ_ONE 1, r9
    ESQ_LOWER r9

    ESQ_ONE 2, r11
    ESQ_SECOND r11
    ESQ_LOWER r11

    ESQ_TWO 3, r9, r11
    ESQ_BOTH r9, r11
    ESQ_LOWER r9

    ESQ_ONE 4, r0
    ESQ_UPPER r0

    ESQ_TWO 5, r9, r0
    ESQ_HALVES r9, r0

    ESQ_TWO 6, r11, r0
    ESQ_SECOND r11
    ESQ_HALVES r11, r0

    ESQ_THREE 7, r9, r11, r0
    ESQ_BOTH r9, r11
    ESQ_HALVES r9, r0

    ESQ_ONE 8, lr
    ESQ_SECOND lr
    ESQ_UPPER lr

    ESQ_TWO 9, r9, lr
    ESQ_SECOND lr
    ESQ_HALVES r9, lr

    ESQ_TWO 10, r11, lr
    ESQ_SECOND r11
    ESQ_SECOND lr
    ESQ_HALVES r11, lr

    ESQ_THREE 11, r9, r11, lr
    ESQ_BOTH r9, r11
    ESQ_SECOND lr
    ESQ_HALVES r9, lr

    ESQ_TWO 12, r0, lr
    ESQ_BOTH r0, lr
    ESQ_UPPER r0

    ESQ_THREE 13, r9, r0, lr
    ESQ_BOTH r0, lr
    ESQ_HALVES r9, r0

    ESQ_THREE 14, r11, r0, lr
    ESQ_SECOND r11
    ESQ_BOTH r0, lr
    ESQ_HALVES r11, r0

    ESQ_THREE 15, r9, r11, r0
    ESQ_WINDOW
    ESQ_WEIGHT lr
    ESQ_BOTH r9, r11
    ESQ_BOTH r0, lr
    ESQ_HALVES r9, r0
    .size esq_dsp_decode_masks, . - esq_dsp_decode_masks

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
