# about: a relocation that this linker does not know is refused, with its number
        .text
        .globl  main
        .type   main, @function
main:   leaq    variable@tlsdesc(%rip), %rax
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
#|   0000: 48 8d 05 00 00 00 00 c3
#|   0003: relocation 34 variable - 0x4
#| section .tbss: ThreadLocal, 8 bytes, align 1
#| symbol main: .text+0x0, Function, 8 bytes
#| symbol variable: .tbss+0x0, ThreadLocal, 8 bytes
#|
#| after
#| error: input.o: relocation type 34 is not supported
