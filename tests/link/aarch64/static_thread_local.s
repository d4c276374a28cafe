# about: thread-local variables of an executable, from the thread pointer
# lld: -static
        .text
        .globl  main
main:   mrs     x0, tpidr_el0
        add     x1, x0, :tprel_hi12:variable
        add     x1, x1, :tprel_lo12_nc:variable
        ldrb    w2, [x1, :tprel_lo12_nc:variable]
        ldr     x2, [x1, :tprel_lo12_nc:variable]
        ldr     w2, [x1, :tprel_lo12_nc:variable]
        ldrh    w2, [x1, :tprel_lo12_nc:variable]
        movz    x3, #:tprel_g1:variable
        movk    x3, #:tprel_g0_nc:variable
        ret

        .section .tdata, "awT", @progbits
        .balign 32
        .zero   0x12340
variable: .xword 7

#| before
#| section .text: Code, 40 bytes, align 4
#|   0000: 40 d0 3b d5 01 00 40 91 21 00 00 91 22 00 40 39
#|   0010: 22 00 40 f9 22 00 40 b9 22 00 40 79 03 00 a0 92
#|   0020: 03 00 80 f2 c0 03 5f d6
#|   0004: R_AARCH64_TLSLE_ADD_TPREL_HI12 variable
#|   0008: R_AARCH64_TLSLE_ADD_TPREL_LO12_NC variable
#|   000c: R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC variable
#|   0010: R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC variable
#|   0014: R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC variable
#|   0018: R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC variable
#|   001c: R_AARCH64_TLSLE_MOVW_TPREL_G1 variable
#|   0020: R_AARCH64_TLSLE_MOVW_TPREL_G0_NC variable
#| section .tdata: ThreadLocal, 74568 bytes, align 32
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   *
#|   12330: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   12340: 07 00 00 00 00 00 00 00
#| symbol variable: .tdata+0x12340, own, ThreadLocal
#| symbol $d: .tdata+0x0, own, ThreadLocal
#| symbol main: .text+0x0
#|
#| after
#| section .text at 0x210000
#|   0000: mrs x0, tpidr_el0
#|   0004: add x1, x0, #0x12, lsl #12
#|   0008: add x1, x1, #0x360
#|   000c: ldrb w2, [x1, #0x360]
#|   0010: ldr x2, [x1, #0x360]
#|   0014: ldr w2, [x1, #0x360]
#|   0018: ldrh w2, [x1, #0x360]
#|   001c: mov x3, #0x10000
#|   0020: movk x3, #0x2360
#|   0024: ret
#| section .tdata at 0x220000
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   *
#|   12330: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   12340: 07 00 00 00 00 00 00 00
