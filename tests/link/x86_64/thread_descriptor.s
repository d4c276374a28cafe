# about: a thread-local variable found through a descriptor: a function and its argument
        .text
        .globl  main
        .type   main, @function
main:   leaq    variable@tlsdesc(%rip), %rax
        callq   *variable@tlscall(%rax)
        addq    %fs:0, %rax
        ret
        .size   main, . - main

        .section .tdata, "awT", @progbits
        .globl  variable
        .type   variable, @object
        .size   variable, 8
variable: .quad 7

#| before
#| section .text: Code, 19 bytes, align 4
#|   0000: 48 8d 05 00 00 00 00 ff 10 64 48 03 04 25 00 00
#|   0010: 00 00 c3
#|   0003: R_X86_64_GOTPC32_TLSDESC variable - 0x4
#|   0007: R_X86_64_TLSDESC_CALL variable
#| section .tdata: ThreadLocal, 8 bytes, align 1
#|   0000: 07 00 00 00 00 00 00 00
#| symbol main: .text+0x0, Function, 19 bytes
#| symbol variable: .tdata+0x0, ThreadLocal, 8 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: lea slot(?),%rax
#|   0007: callq *(%rax)
#|   0009: add %fs:0,%rax
#|   0012: ret
#| section .tdata at read-only+0x0
#|   0000: 07 00 00 00 00 00 00 00
