# about: weak symbols that nobody defines are zero; those defined here are themselves
        .text
        .globl  main
        .type   main, @function
        .weak   absent
        .weak   present
main:   movq    absent@GOTPCREL(%rip), %rax
        testq   %rax, %rax
        call    present
        ret
        .size   main, . - main

        .type   present, @function
present:
        ret
        .size   present, . - present

        .data
        .quad   absent
        .quad   present

#| before
#| section .text: Code, 17 bytes, align 4
#|   0000: 48 8b 05 00 00 00 00 48 85 c0 e8 00 00 00 00 c3
#|   0010: c3
#|   0003: R_X86_64_REX_GOTPCRELX absent - 0x4
#|   000b: R_X86_64_PLT32 present - 0x4
#| section .data: Data, 16 bytes, align 1
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 absent
#|   0008: R_X86_64_64 present
#| symbol main: .text+0x0, Function, 16 bytes
#| symbol absent: undefined, weak
#| symbol present: .text+0x10, weak, Function, 1 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: mov slot(0x0),%rax
#|   0007: test %rax,%rax
#|   000a: call stub(present)
#|   000f: ret
#|   0010: ret
#| section .data at data+0x0
#|   0000: 0x0 (R_X86_64_64)
#|   0008: .text+0x10 (R_X86_64_64)
