# about: pointers in data, of every size, absolute and from where they are
# extern: small 0x1234
# extern: low 0x89abcdef
# lld: -static
        .text
        .globl  main
main:   ret

        .data
        .xword  main
        .xword  main + 4
        .word   low
        .hword  small
        .hword  0
        .xword  main - .
        .word   main - .
        .hword  other - .
        .hword  0
calls:  .word   0
        .reloc  calls, R_AARCH64_PLT32, main
slots:  .word   0
        .reloc  slots, R_AARCH64_GOTPCREL32, main
other:  .byte   1

#| before
#| section .text: Code, 4 bytes, align 4
#|   0000: c0 03 5f d6
#| section .data: Data, 49 bytes, align 1
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0010: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0020: 00 00 00 00 0c 00 00 00 00 00 00 00 00 00 00 00
#|   0030: 01
#|   0000: R_AARCH64_ABS64 main
#|   0008: R_AARCH64_ABS64 main + 0x4
#|   0010: R_AARCH64_ABS32 low
#|   0014: R_AARCH64_ABS16 small
#|   0018: R_AARCH64_PREL64 main
#|   0020: R_AARCH64_PREL32 main
#|   0028: R_AARCH64_PLT32 main
#|   002c: R_AARCH64_GOTPCREL32 main
#| symbol other: .data+0x30, own
#| symbol calls: .data+0x28, own
#| symbol slots: .data+0x2c, own
#| symbol main: .text+0x0
#| symbol low: undefined
#| symbol small: undefined
#|
#| after
#| section .text at 0x210000
#|   0000: ret
#| section .data at 0x230008
#|   0000: 00 00 21 00 00 00 00 00 04 00 21 00 00 00 00 00
#|   0010: ef cd ab 89 34 12 00 00 e0 ff fd ff ff ff ff ff
#|   0020: d8 ff fd ff 0c 00 00 00 d0 ff fd ff cc ff fe ff
#|   0030: 01
#| slots at 0x220000
#|   0x210000
