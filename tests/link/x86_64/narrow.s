# about: bytes and halves of 16 bits; one value too large for its byte
# extern: small 0x7f
# extern: large 0x101
        .data
        .globl  bytes
        .type   bytes, @object
bytes:  .byte   small
        .byte   small + 0x80
        .short  large
        .short  large + 0xfefe
        .byte   large
        .size   bytes, . - bytes

#| before
#| section .text: Code, 0 bytes, align 4
#| section .data: Data, 7 bytes, align 1
#|   0000: 00 00 00 00 00 00 00
#|   0000: R_X86_64_8 small
#|   0001: R_X86_64_8 small + 0x80
#|   0002: R_X86_64_16 large
#|   0004: R_X86_64_16 large + 0xfefe
#|   0006: R_X86_64_8 large
#| symbol bytes: .data+0x0, Data, 7 bytes
#| symbol small: undefined
#| symbol large: undefined
#|
#| after
#| error: R_X86_64_8 at 0x? in input.o cannot reach large: value 0x101 is outside -0x80..=0xff
