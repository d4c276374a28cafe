# about: code of the large model: the slot area's start, and offsets from it
        .text
        .globl  main
        .type   main, @function
main:   leaq    _GLOBAL_OFFSET_TABLE_(%rip), %rbx
here:   movabsq $_GLOBAL_OFFSET_TABLE_ - here, %r11
        movabsq $object@GOTOFF, %rax
        movabsq $object@GOT, %rcx
        movq    (%rbx,%rcx), %rcx
        ret
        .size   main, . - main

        .data
        .globl  object
        .type   object, @object
object: .quad   42
        .size   object, 8

#| before
#| section .text: Code, 42 bytes, align 4
#|   0000: 48 8d 1d 00 00 00 00 49 bb 00 00 00 00 00 00 00
#|   0010: 00 48 b8 00 00 00 00 00 00 00 00 48 b9 00 00 00
#|   0020: 00 00 00 00 00 48 8b 0c 0b c3
#|   0003: R_X86_64_GOTPC32 _GLOBAL_OFFSET_TABLE_ - 0x4
#|   0009: R_X86_64_GOTPC64 _GLOBAL_OFFSET_TABLE_ + 0x2
#|   0013: R_X86_64_GOTOFF64 object
#|   001d: R_X86_64_GOT64 object
#| section .data: Data, 8 bytes, align 1
#|   0000: 2a 00 00 00 00 00 00 00
#| symbol here: .text+0x7, own
#| symbol main: .text+0x0, Function, 42 bytes
#| symbol _GLOBAL_OFFSET_TABLE_: undefined
#| symbol object: .data+0x0, Data, 8 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: lea slot(0x0),%rbx
#|   0007: movabs $0x1DFFFFD9,%r11
#|   0011: movabs $0x4000000,%rax
#|   001b: movabs $0x1000000,%rcx
#|   0025: mov (%rbx,%rcx),%rcx
#|   0029: ret
#| section .data at data+0x0
#|   0000: 2a 00 00 00 00 00 00 00
