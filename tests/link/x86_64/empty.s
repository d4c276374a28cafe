# about: labels in sections without bytes have an address: the start of the data, here still zero
        .text
        .globl  main
        .type   main, @function
main:   leaq    marker(%rip), %rax
        leaq    own(%rip), %rax
        ret
        .size   main, . - main

        .section .marks, "aw", @progbits
        .globl  marker
marker:
own:

#| before
#| section .text: Code, 15 bytes, align 4
#|   0000: 48 8d 05 00 00 00 00 48 8d 05 00 00 00 00 c3
#|   0003: R_X86_64_PC32 marker - 0x4
#|   000a: R_X86_64_PC32 .marks - 0x4
#| section .marks: Data, 0 bytes, align 1
#| symbol own: .marks+0x0, own
#| symbol main: .text+0x0, Function, 15 bytes
#| symbol marker: .marks+0x0
#|
#| after
#| section .text at code+0x20
#|   0000: lea slot(0x0),%rax
#|   0007: lea slot(0x0),%rax
#|   000e: ret
