# about: data that nobody defines is an error that names it and who needs it
        .text
        .globl  main
        .type   main, @function
main:   leaq    nowhere(%rip), %rax
        ret
        .size   main, . - main

#| before
#| section .text: Code, 8 bytes, align 4
#|   0000: 48 8d 05 00 00 00 00 c3
#|   0003: R_X86_64_PC32 nowhere - 0x4
#| symbol main: .text+0x0, Function, 8 bytes
#| symbol nowhere: undefined
#|
#| after
#| error: undefined symbol: nowhere, needed by (object)
