# about: calls and jumps: inside a section, across sections, and out of reach, through a thunk
# extern: near 0x1000000
# extern: far 0x700000000000
        .text
        .globl  main
        .type   main, @function
main:   bl      inner
        bl      other
        bl      near
        bl      far
        b       far
        cbz     x0, other
        b.eq    other
        tbz     w0, #3, other
        ret
        .size   main, . - main
inner:  ret

        .section .other, "ax", @progbits
        .globl  other
        .type   other, @function
other:  b       main
        .size   other, . - other

#| before
#| section .text: Code, 40 bytes, align 4
#|   0000: 09 00 00 94 00 00 00 94 00 00 00 94 00 00 00 94
#|   0010: 00 00 00 14 00 00 00 b4 00 00 00 54 00 00 18 36
#|   0020: c0 03 5f d6 c0 03 5f d6
#|   0004: R_AARCH64_CALL26 other
#|   0008: R_AARCH64_CALL26 near
#|   000c: R_AARCH64_CALL26 far
#|   0010: R_AARCH64_JUMP26 far
#|   0014: R_AARCH64_CONDBR19 other
#|   0018: R_AARCH64_CONDBR19 other
#|   001c: R_AARCH64_TSTBR14 other
#| section .other: Code, 4 bytes, align 4
#|   0000: 00 00 00 14
#|   0000: R_AARCH64_JUMP26 main
#| symbol inner: .text+0x24, own
#| symbol main: .text+0x0, Function, 36 bytes
#| symbol other: .other+0x0, Function, 4 bytes
#| symbol near: undefined
#| symbol far: undefined
#|
#| after
#| section .text at 0x210000
#|   0000: bl $+0x24
#|   0004: bl $+0x34
#|   0008: bl $+0xdefff8
#|   000c: bl $+0x1c
#|   0010: b $+0x18
#|   0014: cbz x0, $+0x24
#|   0018: b.eq $+0x20
#|   001c: tbz w0, #0x3, $+0x1c
#|   0020: ret
#|   0024: ret
#| section .other at 0x210038
#|   0000: b $-0x38
#| thunks at 0x210028
#|   0000: ldr x16, $+0x8
#|   0004: br x16
#|   0000: 00 00 00 00 00 70 00 00
