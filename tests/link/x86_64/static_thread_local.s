# about: the static models need room that the system keeps for few variables: refused, with the reason
        .text
        .globl  main
        .type   main, @function
main:   movq    variable@GOTTPOFF(%rip), %rax
        ret
        .size   main, . - main

        .section .tbss, "awT", @nobits
        .globl  variable
        .type   variable, @object
variable:
        .zero   1 << 20
        .size   variable, 1 << 20

#| before
#| section .text: Code, 8 bytes, align 4
#|   0000: 48 8b 05 00 00 00 00 c3
#|   0003: R_X86_64_GOTTPOFF variable - 0x4
#| section .tbss: ThreadLocal, 1048576 bytes, align 1
#| symbol main: .text+0x0, Function, 8 bytes
#| symbol variable: .tbss+0x0, ThreadLocal, 1048576 bytes
#|
#| after
#| error: input.o: variable is accessed in the static thread-local model (compile with -fPIC): the system has no room left for variables at fixed distances (1048576 bytes, aligned to 16)
