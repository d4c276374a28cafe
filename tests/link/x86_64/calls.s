# about: calls and jumps: inside a section, across sections, to a fixed address that is near or far
# extern: far 0x700000000000
        .text
        .globl  main
        .type   main, @function
main:   call    inner
        call    other
        call    far
        je      other
        jmp     far
        .size   main, . - main
inner:  ret

        .section .text.other, "ax", @progbits
        .globl  other
        .type   other, @function
other:  jmp     main
        .size   other, . - other

#| before
#| section .text: Code, 27 bytes, align 4
#|   0000: e8 15 00 00 00 e8 00 00 00 00 e8 00 00 00 00 0f
#|   0010: 84 00 00 00 00 e9 00 00 00 00 c3
#|   0006: R_X86_64_PLT32 other - 0x4
#|   000b: R_X86_64_PLT32 far - 0x4
#|   0011: R_X86_64_PLT32 other - 0x4
#|   0016: R_X86_64_PLT32 far - 0x4
#| section .text.other: Code, 5 bytes, align 1
#|   0000: e9 00 00 00 00
#|   0001: R_X86_64_PLT32 main - 0x4
#| symbol inner: .text+0x1a, own
#| symbol main: .text+0x0, Function, 26 bytes
#| symbol other: .text.other+0x0, Function, 5 bytes
#| symbol far: undefined
#|
#| after
#| section .text at code+0x20
#|   0000: call .text+0x1a
#|   0005: call stub(other)
#|   000a: call stub(far)
#|   000f: je stub(other)
#|   0015: jmp stub(far)
#|   001a: ret
#| section .text.other at code+0x40
#|   0000: jmp stub(main)
