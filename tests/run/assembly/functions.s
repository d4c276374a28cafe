        .text
        .globl  asm_sum
        .type   asm_sum, @function
asm_sum:
        .cfi_startproc
        xorl    %eax, %eax
.Lloop: addl    %edi, %eax
        decl    %edi
        jnz     .Lloop
        ret
        .cfi_endproc
        .size   asm_sum, .-asm_sum

        .globl  asm_table
        .type   asm_table, @function
asm_table:
        .cfi_startproc
        leaq    .Ltable(%rip), %rdx
        movslq  %edi, %rdi
        movslq  (%rdx,%rdi,4), %rcx
        addq    %rdx, %rcx
        jmp     *%rcx
.Lten:  movl    $10, %eax
        ret
.Ltwenty:
        movl    $20, %eax
        ret
        .cfi_endproc
        .size   asm_table, .-asm_table
        .section .rodata
        .p2align 2
.Ltable:
        .long   .Lten-.Ltable
        .long   .Ltwenty-.Ltable

        .text
        .globl  asm_calls_c
        .type   asm_calls_c, @function
asm_calls_c:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbx, -16
        movl    %edi, %ebx
        call    c_function@PLT
        addl    %ebx, %eax
        movl    %eax, %ebx
        call    *c_pointer(%rip)
        subl    $1, %eax
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   asm_calls_c, .-asm_calls_c
        .data
        .p2align 3
c_pointer:
        .quad   identity
        .text
identity:
        leal    1(%rbx), %eax
        ret

        .weak   asm_weak
        .type   asm_weak, @function
asm_weak:
        movl    $1, %eax
        ret

        .globl  asm_absolute
        .set    asm_absolute, 0x1234
        .section .rodata.str1.1,"aMS",@progbits,1
        .globl  asm_string
asm_string:
        .asciz  "from asm"
        .section .note.GNU-stack,"",@progbits
