/* The inner loop of esq_stream.c: four weights in 15 instructions and the loop's end.
 *
 * Two look-ups, each for two weights, share one load of the bits. An entry's lowest byte is how
 * many bits its weights take; a shift by a register looks at nothing else, so it needs no mask. A
 * pair too long for the table says 0 bits, and then the second look-up finds the same entry: only
 * the second is looked at.
 */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

/* struct esq_bits. */
    .equ ESQ_PLACE, 12

/* r3 table, r4 mask, r12 carries, r5 bits, r6 place; r8 the bits from there on. */
    .macro ESQ_WINDOW
    lsrs r7, r6, #3
    ldr r8, [r5, r7]
    and r7, r6, #7
    lsr r8, r8, r7
    .endm

    .macro ESQ_LOOK_UP entry
    and \entry, r8, r4
    ldr \entry, [r3, \entry, lsl #2]
    .endm

    .macro ESQ_WORD number
    ESQ_WINDOW
    ESQ_LOOK_UP r9
    lsr r8, r8, r9
    ESQ_LOOK_UP r10
    uxtab r6, r6, r9
    ands r7, r10, #0xff
    beq.w .Llong_\number
    add r6, r6, r7
.Lfound_\number:
    pkhtb r9, r10, r9, asr #16
    str r9, [r1], #4
    .endm

/* Two weights, \entry being that of the first one alone, into the upper half of \entry; r8 are the
 * bits it was found by where \window is held, else they are loaded again behind the first one. */
    .macro ESQ_SINGLES entry, window
    ubfx r7, \entry, #8, #8
    add r6, r6, r7
    .ifc \window, held
    lsr r8, r8, r7
    .else
    ESQ_WINDOW
    .endif
    ESQ_LOOK_UP r11
    ubfx \entry, \entry, #16, #8
    ubfx r7, r11, #8, #8
    eor \entry, \entry, r12
    lsr r11, r11, #16
    sub \entry, \entry, r12
    add r6, r6, r7
    add \entry, \entry, r11, lsl #8
    lsl \entry, \entry, #16
    .endm

/* What the table does not have: the second pair, or the first one and perhaps the second. */
    .macro ESQ_LONG number
.Llong_\number:
    uxtb r7, r9
    cbnz r7, .Lsecond_\number
    ESQ_SINGLES r9, held
    ESQ_WINDOW
    ESQ_LOOK_UP r10
    uxtb r7, r10
    cbz r7, .Lsecond_\number
    add r6, r6, r7
    b .Lfound_\number
.Lsecond_\number:
    ESQ_SINGLES r10, loaded
    b .Lfound_\number
    .endm

/* void esq_dsp_decode(struct esq_bits *decoder, uint32_t *to, const uint32_t *end) */
    .section .text.esq_dsp_decode, "ax", %progbits
    .balign 4
    .global esq_dsp_decode
    .type esq_dsp_decode, %function
    .thumb_func
esq_dsp_decode:
    push {r0, r4-r11, lr}
    ldr r6, [r0, #ESQ_PLACE]
    ldr r12, [r0, #ESQ_PLACE + 8]
    ldmia r0, {r3, r4, r5}
    subs r7, r2, r1
    beq .Ldone
    lsls r7, r7, #29             /* an odd number of words begins in the middle */
    bmi .Lodd
.Lloop:
    ESQ_WORD 0
.Lodd:
    ESQ_WORD 1
    cmp r1, r2
    bne .Lloop
.Ldone:
    pop {r0}
    str r6, [r0, #ESQ_PLACE]
    pop {r4-r11, pc}

    ESQ_LONG 0
    ESQ_LONG 1
    .size esq_dsp_decode, . - esq_dsp_decode

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
