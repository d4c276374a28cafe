# about: zero-initialized, tentative and absolute symbols; alignment between sections
        .text
        .globl  main
        .type   main, @function
main:   movl    buffer + 4(%rip), %eax
        addl    tentative(%rip), %eax
        movl    $absolute, %ecx
        ret
        .size   main, . - main

        .globl  absolute
absolute = 0x321

        .comm   tentative, 24, 16

        .data
        .byte   1

        .bss
        .p2align 5
        .globl  buffer
        .type   buffer, @object
buffer: .zero   40
        .size   buffer, 40

#| before
#| section .text: Code, 18 bytes, align 4
#|   0000: 8b 05 00 00 00 00 03 05 00 00 00 00 b9 21 03 00
#|   0010: 00 c3
#|   0002: R_X86_64_PC32 buffer
#|   0008: R_X86_64_PC32 tentative - 0x4
#| section .data: Data, 1 bytes, align 1
#|   0000: 01
#| section .bss: Data, 40 bytes, align 32
#| symbol main: .text+0x0, Function, 18 bytes
#| symbol buffer: .bss+0x0, Data, 40 bytes
#| symbol tentative: common, align 16, tentative, Data, 24 bytes
#| symbol absolute: absolute 0x321
#|
#| after
#| section tentative:.bss at data+0x50
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0010: 00 00 00 00 00 00 00 00
#| section .text at code+0x20
#|   0000: mov .bss+0x4,%eax
#|   0006: add tentative:.bss+0x0,%eax
#|   000c: mov $0x321,%ecx
#|   0011: ret
#| section .data at data+0x0
#|   0000: 01
#| section .bss at data+0x20
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0010: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0020: 00 00 00 00 00 00 00 00
