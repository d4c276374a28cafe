# about: the static models need what only the process's first libraries have: refused, with the reason
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
        .zero   8
        .size   variable, 8

#| before
#| section .text: Code, 8 bytes, align 4
#|   0000: 48 8b 05 00 00 00 00 c3
#|   0003: R_X86_64_GOTTPOFF variable - 0x4
#| section .tbss: ThreadLocal, 8 bytes, align 1
#| symbol main: .text+0x0, Function, 8 bytes
#| symbol variable: .tbss+0x0, ThreadLocal, 8 bytes
#|
#| after
#| error: input.o: variable is accessed in the static thread-local model; only the dynamic models work here (compile with -fPIC)
