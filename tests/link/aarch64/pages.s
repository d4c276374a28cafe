# about: addresses as pages and what is left of them, in loads and stores of every size
# extern: bytes 0x12345677
# extern: words 0x12345ff0
# lld: -static --no-relax
        .text
        .globl  main
main:   adrp    x0, bytes
        add     x0, x0, :lo12:bytes
        ldrb    w1, [x0, :lo12:bytes]
        adrp    x2, words
        ldrh    w1, [x2, :lo12:words]
        ldr     w1, [x2, :lo12:words]
        ldr     x1, [x2, :lo12:words + 8]
        str     q1, [x2, :lo12:words]
        adrp    x3, :pg_hi21_nc:words
        adr     x4, inner
        ldr     x5, inner
        ret
inner:  .xword  0
        .globl  inner

#| before
#| section .text: Code, 56 bytes, align 4
#|   0000: 00 00 00 90 00 00 00 91 01 00 40 39 02 00 00 90
#|   0010: 41 00 40 79 41 00 40 b9 41 00 40 f9 41 00 80 3d
#|   0020: 03 00 00 90 04 00 00 10 05 00 00 58 c0 03 5f d6
#|   0030: 00 00 00 00 00 00 00 00
#|   0000: R_AARCH64_ADR_PREL_PG_HI21 bytes
#|   0004: R_AARCH64_ADD_ABS_LO12_NC bytes
#|   0008: R_AARCH64_LDST8_ABS_LO12_NC bytes
#|   000c: R_AARCH64_ADR_PREL_PG_HI21 words
#|   0010: R_AARCH64_LDST16_ABS_LO12_NC words
#|   0014: R_AARCH64_LDST32_ABS_LO12_NC words
#|   0018: R_AARCH64_LDST64_ABS_LO12_NC words + 0x8
#|   001c: R_AARCH64_LDST128_ABS_LO12_NC words
#|   0020: R_AARCH64_ADR_PREL_PG_HI21_NC words
#|   0024: R_AARCH64_ADR_PREL_LO21 inner
#|   0028: R_AARCH64_LD_PREL_LO19 inner
#| symbol main: .text+0x0
#| symbol bytes: undefined
#| symbol words: undefined
#| symbol inner: .text+0x30
#|
#| after
#| section .text at 0x210000
#|   0000: adrp x0, $+0x12135000
#|   0004: add x0, x0, #0x677
#|   0008: ldrb w1, [x0, #0x677]
#|   000c: adrp x2, $+0x12135000
#|   0010: ldrh w1, [x2, #0xff0]
#|   0014: ldr w1, [x2, #0xff0]
#|   0018: ldr x1, [x2, #0xff8]
#|   001c: str q1, [x2, #0xff0]
#|   0020: adrp x3, $+0x12135000
#|   0024: adr x4, $+0xc
#|   0028: ldr x5, $+0x8
#|   002c: ret
#|   0030: udf #0x0
#|   0034: udf #0x0
