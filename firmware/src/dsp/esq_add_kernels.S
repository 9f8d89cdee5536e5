/* The inner loops of esq_add_dsp.c: 14 instructions per value. Contract: esq_add_dsp.h. */
#if defined(__ARM_FEATURE_DSP)

#include "../esq_function.inc"

/* other: what is done with the rescaled operand; halved: with the one that is only halved. */
    .macro ESQ_ADD_VALUE other, halved
    ldrsb r12, [r1], #1
    add r12, r4, r12, lsl #21
    smmlar lr, r12, r5, r6
    add lr, lr, r12, asr #31
    asr lr, lr, r7
    ldrsb r12, [r0], #1
    \other lr, r8, lr, lsl #1
    \halved lr, lr, r12, lsl #20
    smmlar r12, lr, r9, r10
    add r12, r12, lr, asr #31
    asr r12, r12, r11
    ssat r12, #8, r12
    strb r12, [r2], #1
    .endm

    .macro ESQ_ADD_VALUES name, other, halved
    ESQ_FUNCTION \name     /* halved, other, result, end of it, constants */
    push {r4-r11, lr}
    ldr r12, [sp, #36]
    ldmia.w r12, {r4-r11}
    sub r12, r3, r2
    lsls r12, r12, #31
    bne 2f                       /* an odd number of values */
1:  ESQ_ADD_VALUE \other, \halved
2:  ESQ_ADD_VALUE \other, \halved
    cmp r2, r3
    bne 1b
    pop {r4-r11, pc}
    .size \name, . - \name
    .endm

    ESQ_ADD_VALUES esq_dsp_add, add, add
    ESQ_ADD_VALUES esq_dsp_sub_other, sub, add
    ESQ_ADD_VALUES esq_dsp_sub_halved, add, sub

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
