# about: a thread-local variable found through a descriptor: a function and its argument
# lld: -shared
        .text
        .globl  main
        .hidden main
        .type   main, @function
main:   adrp    x0, :tlsdesc:variable
        ldr     x1, [x0, :tlsdesc_lo12:variable]
        add     x0, x0, :tlsdesc_lo12:variable
        .tlsdesccall variable
        blr     x1
        mrs     x1, tpidr_el0
        add     x0, x1, x0
        ret
        .size   main, . - main

        .section .tdata, "awT", @progbits
        .globl  variable
        .hidden variable
        .type   variable, @object
        .size   variable, 8
variable: .xword 7

#| before
#| section .text: Code, 28 bytes, align 4
#|   0000: 00 00 00 90 01 00 40 f9 00 00 00 91 20 00 3f d6
#|   0010: 41 d0 3b d5 20 00 00 8b c0 03 5f d6
#|   0000: R_AARCH64_TLSDESC_ADR_PAGE21 variable
#|   0004: R_AARCH64_TLSDESC_LD64_LO12 variable
#|   0008: R_AARCH64_TLSDESC_ADD_LO12 variable
#|   000c: R_AARCH64_TLSDESC_CALL variable
#| section .tdata: ThreadLocal, 8 bytes, align 1
#|   0000: 07 00 00 00 00 00 00 00
#| symbol $d: .tdata+0x0, own, ThreadLocal
#| symbol main: .text+0x0, Hidden, Function, 28 bytes
#| symbol variable: .tdata+0x0, Hidden, ThreadLocal, 8 bytes
#|
#| after
#| section .text at 0x10000
#|   0000: adrp x0, $+0x10000
#|   0004: ldr x1, [x0, #0xa8]
#|   0008: add x0, x0, #0xa8
#|   000c: blr x1
#|   0010: mrs x1, tpidr_el0
#|   0014: add x0, x1, x0
#|   0018: ret
#| section .tdata at 0x20000
#|   0000: 07 00 00 00 00 00 00 00
#| slots at 0x200a8
#|   0x0
#|   0x0
