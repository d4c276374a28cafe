# about: where a page is used twice, no load of the section becomes a sum
# lld: -static -Ttext=0x200000 -Tdata=0x10000000
        .text
        .globl  main
main:   adrp    x0, :got:variable
        ldr     x0, [x0, :got_lo12:variable]
        adrp    x1, :got:variable
        ldr     x2, [x1, :got_lo12:variable]
        ldr     x3, [x1, :got_lo12:variable]
        ret

        .data
        .globl  variable
variable: .xword 2

#| before
#| section .text: Code, 24 bytes, align 4
#|   0000: 00 00 00 90 00 00 40 f9 01 00 00 90 22 00 40 f9
#|   0010: 23 00 40 f9 c0 03 5f d6
#|   0000: R_AARCH64_ADR_GOT_PAGE variable
#|   0004: R_AARCH64_LD64_GOT_LO12_NC variable
#|   0008: R_AARCH64_ADR_GOT_PAGE variable
#|   000c: R_AARCH64_LD64_GOT_LO12_NC variable
#|   0010: R_AARCH64_LD64_GOT_LO12_NC variable
#| section .data: Data, 8 bytes, align 1
#|   0000: 02 00 00 00 00 00 00 00
#| symbol main: .text+0x0
#| symbol variable: .data+0x0
#|
#| after
#| section .text at 0x200000
#|   0000: adrp x0, $+0xfe00000
#|   0004: ldr x0, [x0, #0x8]
#|   0008: adrp x1, $+0xfe00000
#|   000c: ldr x2, [x1, #0x8]
#|   0010: ldr x3, [x1, #0x8]
#|   0014: ret
#| section .data at 0x10000000
#|   0000: 02 00 00 00 00 00 00 00
#| slots at 0x10000008
#|   0x10000000
