/* One pixel's values that are not zero on Armv6-M, and sums over them. Contract:
 * esq_scalar_listed.h. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)

    .syntax unified
    .thumb

/* r0 values less tap, r2 tap, r3 list, r6 the last place for a step of four, r7 past the last tap.
 * Five instructions for a zero, eight for any other value. */
    .section .text.esq_scalar_list, "ax", %progbits
    .balign 4
    .global esq_scalar_list
    .type esq_scalar_list, %function
    .thumb_func
esq_scalar_list:
    push {r4-r7, lr}
    subs r0, r0, r1
    adds r7, r1, r2
    mov r2, r1
    ldr r6, [sp, #20]           /* end of the list's place */
    subs r6, r6, #16
    b 3f
1:  cmp r3, r6
    bhi .Lfull
    .rept 4
    ldrsb r4, [r0, r2]
    adds r4, r4, #128
    beq 2f
    lsls r4, r4, #16
    orrs r4, r4, r2
    stmia r3!, {r4}
2:  adds r2, r2, #1
    .endr
3:  subs r5, r7, r2
    cmp r5, #4
    bhs 1b
    cmp r3, r6
    bhi .Lfull
    cmp r5, #0
    beq 6f
4:  ldrsb r4, [r0, r2]
    adds r4, r4, #128
    beq 5f
    lsls r4, r4, #16
    orrs r4, r4, r2
    stmia r3!, {r4}
5:  adds r2, r2, #1
    cmp r2, r7
    bne 4b
6:  movs r0, r3
    pop {r4-r7, pc}
.Lfull:
    movs r0, #0
    pop {r4-r7, pc}
    .size esq_scalar_list, . - esq_scalar_list

/* struct esq_scalar_listed */
    .equ ESQ_LIST_END, 4
    .equ ESQ_LIST_WEIGHTS, 8
    .equ ESQ_LIST_TAPS, 12
    .equ ESQ_LIST_WEIGHT_SUMS, 16
    .equ ESQ_LIST_CHANNELS, 20
    .equ ESQ_LIST_SUMS, 24
    .equ ESQ_LIST_WIDTH, 28

/* Stack frame. */
    .equ ESQ_TAPS, 0
    .equ ESQ_LIST, 4            /* where the first iteration begins */
    .equ ESQ_ENTRY, 8
    .equ ESQ_WEIGHT_SUMS, 12
    .equ ESQ_WIDTH_BYTES, 16
    .equ ESQ_LEFT, 20           /* channels */
    .equ ESQ_WEIGHTS, 24
    .equ ESQ_LISTED_FRAME, 28

    .equ ESQ_UNROLLED_VALUES, 8

/* r0 list, r1 to r4 weights of four channels, r8 to r11 their sums, r12 sums, lr the list's end.
 * 14 instructions for four channels. */
    .macro ESQ_VALUE_4 index
    ldrh r5, [r0, #4 * \index]
    ldrh r6, [r0, #4 * \index + 2]
    ldrsb r7, [r1, r5]
    muls r7, r6, r7
    add r8, r8, r7
    ldrsb r7, [r2, r5]
    muls r7, r6, r7
    add r9, r9, r7
    ldrsb r7, [r3, r5]
    muls r7, r6, r7
    add r10, r10, r7
    ldrsb r7, [r4, r5]
    muls r7, r6, r7
    add r11, r11, r7
    .endm

    .section .text.esq_scalar_sums_listed, "ax", %progbits
    .balign 4
    .global esq_scalar_sums_listed
    .type esq_scalar_sums_listed, %function
    .thumb_func
esq_scalar_sums_listed:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    sub sp, sp, #ESQ_LISTED_FRAME
    mov r7, r0
    /* list, end, weights, taps, weight sums, channels, sums */
    ldmia r7!, {r0, r1, r2, r3, r4, r5, r6}
    mov r12, r6
    mov lr, r1
    str r2, [sp, #ESQ_WEIGHTS]
    str r3, [sp, #ESQ_TAPS]
    str r4, [sp, #ESQ_WEIGHT_SUMS]
    str r5, [sp, #ESQ_LEFT]
    ldr r4, [r7]
    lsls r4, r4, #2
    str r4, [sp, #ESQ_WIDTH_BYTES]
    subs r1, r0, r1             /* less the list's bytes */
    movs r5, #4 * ESQ_UNROLLED_VALUES - 1
    ands r5, r5, r1             /* bytes left out of the first iteration */
    subs r0, r0, r5
    str r0, [sp, #ESQ_LIST]
    movs r6, #7                 /* 28 bytes of code for 4 of the list */
    muls r5, r6, r5
    adr r6, .Lvalues
    adds r5, r5, r6
    cmp r1, #0
    bne 1f
    adr r5, .Lstore
1:  str r5, [sp, #ESQ_ENTRY]

.Lfour:
    ldr r7, [sp, #ESQ_WEIGHT_SUMS]
    movs r5, #0
    .irp sum, r8, r9, r10, r11
    ldrsh r1, [r7, r5]
    lsls r1, r1, #7
    mov \sum, r1
    adds r5, r5, #2
    .endr
    adds r7, r7, r5
    str r7, [sp, #ESQ_WEIGHT_SUMS]
    ldr r1, [sp, #ESQ_WEIGHTS]
    ldr r5, [sp, #ESQ_TAPS]
    adds r2, r1, r5
    adds r3, r2, r5
    adds r4, r3, r5
    adds r5, r4, r5
    str r5, [sp, #ESQ_WEIGHTS]
    ldr r0, [sp, #ESQ_LIST]
    ldr r5, [sp, #ESQ_ENTRY]
    mov pc, r5

    .balign 4
.Lvalues:
    .irp index, 0, 1, 2, 3, 4, 5, 6, 7
    ESQ_VALUE_4 \index
    .endr
    adds r0, r0, #4 * ESQ_UNROLLED_VALUES
    cmp r0, lr
    bne .Lvalues

    .balign 4
.Lstore:
    mov r7, r12
    ldr r5, [sp, #ESQ_WIDTH_BYTES]
    .irp sum, r8, r9, r10, r11
    mov r6, \sum
    str r6, [r7]
    adds r7, r7, r5
    .endr
    mov r12, r7
    ldr r7, [sp, #ESQ_LEFT]
    subs r7, r7, #4
    str r7, [sp, #ESQ_LEFT]
    beq 2f
    b .Lfour
2:  add sp, sp, #ESQ_LISTED_FRAME
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
    .size esq_scalar_sums_listed, . - esq_scalar_sums_listed

#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits /* on a computer: no executable stack */
#endif
