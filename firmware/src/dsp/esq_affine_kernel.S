/* The inner loop of esq_affine_dsp.c: four channels in 18 instructions. */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

    .section .text.esq_dsp_affine, "ax", %progbits
    .balign 4
    .global esq_dsp_affine
    .type esq_dsp_affine, %function
    .thumb_func
esq_dsp_affine:                  /* values, table, result, fours */
    push {r4-r11, lr}
1:  ldr r12, [r0], #4
    ldmia.w r1!, {r4-r11}        /* slopes, offsets */
    sxtb16 lr, r12
    sxtb16 r12, r12, ror #8
    smlawb r4, r4, lr, r8
    smlawb r5, r5, r12, r9
    smlawt r6, r6, lr, r10
    smlawt r7, r7, r12, r11
    ssat r4, #8, r4, asr #11
    ssat r5, #8, r5, asr #11
    ssat r6, #8, r6, asr #11
    ssat r7, #8, r7, asr #11
    strb r5, [r2, #1]
    strb r6, [r2, #2]
    strb r7, [r2, #3]
    strb r4, [r2], #4
    subs r3, r3, #1
    bne 1b
    pop {r4-r11, pc}
    .size esq_dsp_affine, . - esq_dsp_affine

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
