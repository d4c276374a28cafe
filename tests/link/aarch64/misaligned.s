# about: a load of eight bytes whose address is no multiple of eight is refused
# extern: bytes 0x12345677
# lld: none
        .text
        .globl  main
main:   ldr     x0, [x1, :lo12:bytes]
        ret

#| before
#| section .text: Code, 8 bytes, align 4
#|   0000: 20 00 40 f9 c0 03 5f d6
#|   0000: R_AARCH64_LDST64_ABS_LO12_NC bytes
#| symbol main: .text+0x0
#| symbol bytes: undefined
#|
#| after
#| error: R_AARCH64_LDST64_ABS_LO12_NC at 0x1000000 in input.o cannot name bytes: value 0x12345677 is no multiple of 8
