    .text
    .globl main
main:
    subq $8, %rsp
    call finish@PLT
    addq $8, %rsp
    retq
    .section .note.GNU-stack, "", @progbits
