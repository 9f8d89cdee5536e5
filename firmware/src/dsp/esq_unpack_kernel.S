/* Three neighbouring columns unpacked side by side: 13 instructions for 12 values.
 * Contract: esq_dsp.h. */
#if defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

    .section .text.esq_dsp_unpack_3, "ax", %progbits
    .balign 4
    .global esq_dsp_unpack_3
    .type esq_dsp_unpack_3, %function
    .thumb_func
esq_dsp_unpack_3:
    push {r4-r11, lr}
    ldr r4, [sp, #36]            /* lanes, behind the nine registers saved */
    add r5, r0, r1
    add r6, r5, r1
    cbz r2, 2f
1:  ldr r7, [r0], #4
    ldr r8, [r5], #4
    ldr r9, [r6], #4
    sxtab16 r10, r3, r7
    sxtab16 r11, r3, r8
    sxtab16 r12, r3, r9
    stmia r4!, {r10, r11, r12}
    sxtab16 r7, r3, r7, ror #8
    sxtab16 r8, r3, r8, ror #8
    sxtab16 r9, r3, r9, ror #8
    stmia r4!, {r7, r8, r9}
    subs r2, r2, #1
    bne 1b
2:  mov r0, r4
    pop {r4-r11, pc}
    .size esq_dsp_unpack_3, . - esq_dsp_unpack_3

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
