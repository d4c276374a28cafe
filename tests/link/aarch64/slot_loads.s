# about: loads from slots become sums where the page and what is left of it stand in pairs
# lld: -static -Ttext=0x200000 -Tdata=0x10000000
        .text
        .globl  main
main:   adrp    x0, :got:variable
        ldr     x0, [x0, :got_lo12:variable]
        adrp    x1, :got:second
        ldr     x1, [x1, :got_lo12:second]
        ret

        .data
        .globl  variable
        .globl  second
        .word   0
second: .word   1
variable: .xword 2

#| before
#| section .text: Code, 20 bytes, align 4
#|   0000: 00 00 00 90 00 00 40 f9 01 00 00 90 21 00 40 f9
#|   0010: c0 03 5f d6
#|   0000: R_AARCH64_ADR_GOT_PAGE variable
#|   0004: R_AARCH64_LD64_GOT_LO12_NC variable
#|   0008: R_AARCH64_ADR_GOT_PAGE second
#|   000c: R_AARCH64_LD64_GOT_LO12_NC second
#| section .data: Data, 16 bytes, align 1
#|   0000: 00 00 00 00 01 00 00 00 02 00 00 00 00 00 00 00
#| symbol main: .text+0x0
#| symbol variable: .data+0x8
#| symbol second: .data+0x4
#|
#| after
#| section .text at 0x200000
#|   0000: adrp x0, $+0xfe00000
#|   0004: add x0, x0, #0x8
#|   0008: adrp x1, $+0xfe00000
#|   000c: add x1, x1, #0x4
#|   0010: ret
#| section .data at 0x10000000
#|   0000: 00 00 00 00 01 00 00 00 02 00 00 00 00 00 00 00
