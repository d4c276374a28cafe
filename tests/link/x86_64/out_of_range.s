# about: a value that does not fit is an error with the symbol, the value and the bounds
# extern: far 0x700000000000
        .data
        .globl  half
        .type   half, @object
half:   .long   far
        .size   half, 4

#| before
#| section .text: Code, 0 bytes, align 4
#| section .data: Data, 4 bytes, align 1
#|   0000: 00 00 00 00
#|   0000: R_X86_64_32 far
#| symbol half: .data+0x0, Data, 4 bytes
#| symbol far: undefined
#|
#| after
#| error: R_X86_64_32 at 0x? in input.o cannot reach far: value 0x700000000000 is outside 0x0..=0xffffffff
