# about: unwind records point to their code, and end in a zero word of ours
        .text
        .globl  main
        .type   main, @function
main:   .cfi_startproc
        pushq   %rbx
        .cfi_def_cfa_offset 16
        .cfi_offset %rbx, -16
        popq    %rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size   main, . - main

#| before
#| section .text: Code, 3 bytes, align 4
#|   0000: 53 5b c3
#| section .eh_frame: Unwind, 56 bytes, align 8
#|   0000: 14 00 00 00 00 00 00 00 01 7a 52 00 01 78 10 01
#|   0010: 1b 0c 07 08 90 01 00 00 1c 00 00 00 1c 00 00 00
#|   0020: 00 00 00 00 03 00 00 00 00 41 0e 10 83 02 41 0e
#|   0030: 08 00 00 00 00 00 00 00
#|   0020: R_X86_64_PC32 .text
#| symbol main: .text+0x0, Function, 3 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: push %rbx
#|   0001: pop %rbx
#|   0002: ret
#| section .eh_frame at read-only+0x0
#|   0000: 14 00 00 00 00 00 00 00 01 7a 52 00 01 78 10 01
#|   0010: 1b 0c 07 08 90 01 00 00 1c 00 00 00 1c 00 00 00
#|   0020: .text+0x0 - . (R_X86_64_PC32)
#|   0024: 03 00 00 00 00 41 0e 10 83 02 41 0e
#|   0030: 08 00 00 00 00 00 00 00
