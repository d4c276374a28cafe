# about: with a shrunken reach, calls go through thunks beside the code, and data through slots
# extern: far 0x700000000000
# reach: 4096
        .text
        .globl  main
        .type   main, @function
main:   call    far
        call    inner
        movq    object@GOTPCREL(%rip), %rax
        call    far
        ret
        .size   main, . - main
inner:  ret

        .data
        .globl  object
        .type   object, @object
object: .quad   far
        .size   object, 8

#| before
#| section .text: Code, 24 bytes, align 4
#|   0000: e8 00 00 00 00 e8 0d 00 00 00 48 8b 05 00 00 00
#|   0010: 00 e8 00 00 00 00 c3 c3
#|   0001: R_X86_64_PLT32 far - 0x4
#|   000d: R_X86_64_REX_GOTPCRELX object - 0x4
#|   0012: R_X86_64_PLT32 far - 0x4
#| section .data: Data, 8 bytes, align 1
#|   0000: 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 far
#| symbol inner: .text+0x17, own
#| symbol main: .text+0x0, Function, 23 bytes
#| symbol far: undefined
#| symbol object: .data+0x0, Data, 8 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: call thunk(stub(far))
#|   0005: call .text+0x17
#|   000a: mov slot(.data+0x0),%rax
#|   0011: call thunk(stub(far))
#|   0016: ret
#|   0017: ret
#| section .data at data+0x0
#|   0000: far (R_X86_64_64)
