# about: the members of a comdat group, of which nobody else has another copy
        .text
        .globl  main
        .type   main, @function
main:   call    inline_function
        ret
        .size   main, . - main

        .section .text.inline_function, "axG", @progbits, inline_function, comdat
        .weak   inline_function
        .type   inline_function, @function
inline_function:
        leaq    .Ltable(%rip), %rax
        ret
        .size   inline_function, . - inline_function

        .section .rodata.inline_function, "aG", @progbits, inline_function, comdat
.Ltable:
        .long   1, 2, 3, 4

#| before
#| section .text: Code, 6 bytes, align 4
#|   0000: e8 00 00 00 00 c3
#|   0001: R_X86_64_PLT32 inline_function - 0x4
#| section .text.inline_function: Code, 8 bytes, align 1, group inline_function
#|   0000: 48 8d 05 00 00 00 00 c3
#|   0003: R_X86_64_PC32 .rodata.inline_function - 0x4
#| section .rodata.inline_function: ReadOnly, 16 bytes, align 1, group inline_function
#|   0000: 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00
#| group inline_function
#| symbol main: .text+0x0, Function, 6 bytes
#| symbol inline_function: .text.inline_function+0x0, weak, Function, 8 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: call stub(inline_function)
#|   0005: ret
#| section .text.inline_function at code+0x30
#|   0000: lea .rodata.inline_function+0x0,%rax
#|   0007: ret
#| section .rodata.inline_function at read-only+0x0
#|   0000: 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00
