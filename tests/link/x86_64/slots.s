# about: loads from slots become plain addresses where these reach, others stay
# extern: far 0x700000000000
        .text
        .globl  main
        .type   main, @function
main:   movq    object@GOTPCREL(%rip), %rax
        movl    object@GOTPCREL(%rip), %eax
        cmpq    object@GOTPCREL(%rip), %rax
        call    *function@GOTPCREL(%rip)
        movq    far@GOTPCREL(%rip), %rdi
        call    *far@GOTPCREL(%rip)
        jmp     *function@GOTPCREL(%rip)
        .size   main, . - main

        .globl  function
        .type   function, @function
function:
        ret
        .size   function, . - function

        .data
        .p2align 3
        .globl  object
        .type   object, @object
object: .quad   42
        .size   object, 8

#| before
#| section .text: Code, 46 bytes, align 4
#|   0000: 48 8b 05 00 00 00 00 8b 05 00 00 00 00 48 3b 05
#|   0010: 00 00 00 00 ff 15 00 00 00 00 48 8b 3d 00 00 00
#|   0020: 00 ff 15 00 00 00 00 ff 25 00 00 00 00 c3
#|   0003: R_X86_64_REX_GOTPCRELX object - 0x4
#|   0009: R_X86_64_GOTPCRELX object - 0x4
#|   0010: R_X86_64_REX_GOTPCRELX object - 0x4
#|   0016: R_X86_64_GOTPCRELX function - 0x4
#|   001d: R_X86_64_REX_GOTPCRELX far - 0x4
#|   0023: R_X86_64_GOTPCRELX far - 0x4
#|   0029: R_X86_64_GOTPCRELX function - 0x4
#| section .data: Data, 8 bytes, align 8
#|   0000: 2a 00 00 00 00 00 00 00
#| symbol main: .text+0x0, Function, 45 bytes
#| symbol object: .data+0x0, Data, 8 bytes
#| symbol function: .text+0x2d, Function, 1 bytes
#| symbol far: undefined
#|
#| after
#| section .text at code+0x20
#|   0000: lea .data+0x0,%rax
#|   0007: lea .data+0x0,%eax
#|   000d: cmp slot(.data+0x0),%rax
#|   0014: call .text+0x2d
#|   001a: mov slot(far),%rdi
#|   0021: callq *slot(far)
#|   0027: jmp .text+0x2d
#|   002c: nop
#|   002d: ret
#| section .data at data+0x0
#|   0000: 2a 00 00 00 00 00 00 00
