# about: a page out of reach is refused, with the symbol, the value and its bounds
# extern: far 0x700000000000
# lld: none
        .text
        .globl  main
main:   adrp    x0, far
        ret

#| before
#| section .text: Code, 8 bytes, align 4
#|   0000: 00 00 00 90 c0 03 5f d6
#|   0000: R_AARCH64_ADR_PREL_PG_HI21 far
#| symbol main: .text+0x0
#| symbol far: undefined
#|
#| after
#| error: R_AARCH64_ADR_PREL_PG_HI21 at 0x1000000 in input.o cannot reach far: value 0x6fffff000000 is outside -0x100000000..=0xffffffff
