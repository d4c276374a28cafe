# about: a relocation that no row of the table describes
        .text
        .globl  main
        .type   main, @function
main:   movabsq $0, %rax
        .reloc  main + 2, R_X86_64_GOTPLT64, variable
        ret
        .size   main, . - main

#| before
#| section .text: Code, 11 bytes, align 4
#|   0000: 48 b8 00 00 00 00 00 00 00 00 c3
#|   0002: relocation 30 variable
#| symbol main: .text+0x0, Function, 11 bytes
#| symbol variable: undefined
#|
#| after
#| error: input.o: relocation type 30 is not supported
