# about: a function that nobody defines is called through its stub, and fails only when it is called
        .text
        .globl  main
        .type   main, @function
main:   call    nowhere
        ret
        .size   main, . - main

#| before
#| section .text: Code, 6 bytes, align 4
#|   0000: e8 00 00 00 00 c3
#|   0001: R_X86_64_PLT32 nowhere - 0x4
#| symbol main: .text+0x0, Function, 6 bytes
#| symbol nowhere: undefined
#|
#| after
#| section .text at code+0x20
#|   0000: call stub(nowhere)
#|   0005: ret
