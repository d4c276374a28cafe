# about: addresses loaded from slots, in each of the ways there are
# extern: absolute 0x12345678
# lld: -static --no-relax
        .text
        .globl  main
main:   adrp    x0, :got:variable
        ldr     x0, [x0, :got_lo12:variable]
        adrp    x1, :got:absolute
        ldr     x2, [x1, :got_lo12:absolute]
        ldr     x3, :got:variable
        ldr     x5, [x4, :gotpage_lo15:variable]
        ret

        .data
        .globl  variable
        .word   0
        .balign 8
variable: .xword variable

#| before
#| section .text: Code, 28 bytes, align 4
#|   0000: 00 00 00 90 00 00 40 f9 01 00 00 90 22 00 40 f9
#|   0010: 03 00 00 58 85 00 40 f9 c0 03 5f d6
#|   0000: R_AARCH64_ADR_GOT_PAGE variable
#|   0004: R_AARCH64_LD64_GOT_LO12_NC variable
#|   0008: R_AARCH64_ADR_GOT_PAGE absolute
#|   000c: R_AARCH64_LD64_GOT_LO12_NC absolute
#|   0010: R_AARCH64_GOT_LD_PREL19 variable
#|   0014: R_AARCH64_LD64_GOTPAGE_LO15 variable
#| section .data: Data, 16 bytes, align 8
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0008: R_AARCH64_ABS64 variable
#| symbol main: .text+0x0
#| symbol variable: .data+0x8
#| symbol absolute: undefined
#|
#| after
#| section .text at 0x210000
#|   0000: adrp x0, $+0x10000
#|   0004: ldr x0, [x0]
#|   0008: adrp x1, $+0x10000
#|   000c: ldr x2, [x1, #0x8]
#|   0010: ldr x3, $+0xfff0
#|   0014: ldr x5, [x4]
#|   0018: ret
#| section .data at 0x230010
#|   0000: 00 00 00 00 00 00 00 00 18 00 23 00 00 00 00 00
#| slots at 0x220000
#|   0x230018
#|   0x12345678
