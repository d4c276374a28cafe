# about: addresses in parts of 16 bits, with and without sign
# extern: small 0x1234
# extern: middle 0x12345678
# extern: large 0x123456789abc
# extern: huge 0x8123456789abcdef
# lld: -static
        .text
        .globl  main
main:   movz    x0, #:abs_g0:small
        movk    x0, #:abs_g0_nc:huge
        movz    x0, #:abs_g1:middle
        movk    x0, #:abs_g1_nc:huge
        movz    x0, #:abs_g2:large
        movk    x0, #:abs_g2_nc:huge
        movz    x0, #:abs_g3:huge
        movz    x1, #:abs_g0_s:small
        movz    x1, #:abs_g1_s:middle
        movn    x1, #:abs_g2_s:large
        movz    x1, #:abs_g0_s:small - 0x2000
        movz    x2, #:prel_g0:inner
        movk    x2, #:prel_g0_nc:inner
        movz    x2, #:prel_g1:inner
        movk    x2, #:prel_g1_nc:middle
        movz    x2, #:prel_g2:large
        movk    x2, #:prel_g2_nc:large
        movz    x2, #:prel_g3:huge
        movz    x2, #:prel_g0:main
inner:  ret
        .globl  inner

#| before
#| section .text: Code, 80 bytes, align 4
#|   0000: 00 00 80 d2 00 00 80 f2 00 00 a0 d2 00 00 a0 f2
#|   0010: 00 00 c0 d2 00 00 c0 f2 00 00 e0 d2 01 00 80 d2
#|   0020: 01 00 a0 d2 01 00 c0 92 01 00 80 d2 02 00 80 d2
#|   0030: 02 00 80 f2 02 00 a0 d2 02 00 a0 f2 02 00 c0 d2
#|   0040: 02 00 c0 f2 02 00 e0 d2 02 00 80 d2 c0 03 5f d6
#|   0000: R_AARCH64_MOVW_UABS_G0 small
#|   0004: R_AARCH64_MOVW_UABS_G0_NC huge
#|   0008: R_AARCH64_MOVW_UABS_G1 middle
#|   000c: R_AARCH64_MOVW_UABS_G1_NC huge
#|   0010: R_AARCH64_MOVW_UABS_G2 large
#|   0014: R_AARCH64_MOVW_UABS_G2_NC huge
#|   0018: R_AARCH64_MOVW_UABS_G3 huge
#|   001c: R_AARCH64_MOVW_SABS_G0 small
#|   0020: R_AARCH64_MOVW_SABS_G1 middle
#|   0024: R_AARCH64_MOVW_SABS_G2 large
#|   0028: R_AARCH64_MOVW_SABS_G0 small - 0x2000
#|   002c: R_AARCH64_MOVW_PREL_G0 inner
#|   0030: R_AARCH64_MOVW_PREL_G0_NC inner
#|   0034: R_AARCH64_MOVW_PREL_G1 inner
#|   0038: R_AARCH64_MOVW_PREL_G1_NC middle
#|   003c: R_AARCH64_MOVW_PREL_G2 large
#|   0040: R_AARCH64_MOVW_PREL_G2_NC large
#|   0044: R_AARCH64_MOVW_PREL_G3 huge
#|   0048: R_AARCH64_MOVW_PREL_G0 main
#| symbol main: .text+0x0
#| symbol small: undefined
#| symbol huge: undefined
#| symbol middle: undefined
#| symbol large: undefined
#| symbol inner: .text+0x4c
#|
#| after
#| section .text at 0x210000
#|   0000: mov x0, #0x1234
#|   0004: movk x0, #0xcdef
#|   0008: mov x0, #0x12340000
#|   000c: movk x0, #0x89ab, lsl #16
#|   0010: mov x0, #0x123400000000
#|   0014: movk x0, #0x4567, lsl #32
#|   0018: mov x0, #0x8123000000000000
#|   001c: mov x1, #0x1234
#|   0020: mov x1, #0x12340000
#|   0024: mov x1, #0x123400000000
#|   0028: mov x1, #0xfffffffffffff234
#|   002c: mov x2, #0x20
#|   0030: movk x2, #0x1c
#|   0034: mov x2, #0x0
#|   0038: movk x2, #0x1213, lsl #16
#|   003c: mov x2, #0x123400000000
#|   0040: movk x2, #0x1234, lsl #32
#|   0044: mov x2, #0x8123000000000000
#|   0048: mov x2, #0xffffffffffffffb8
#|   004c: ret
