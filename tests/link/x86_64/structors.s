# about: arrays of constructors and destructors, with and without priorities
        .text
        .type   first, @function
first:  ret
        .size   first, . - first
        .type   second, @function
second: ret
        .size   second, . - second

        .section .init_array.00101, "aw", @init_array
        .p2align 3
        .quad   first
        .section .init_array, "aw", @init_array
        .p2align 3
        .quad   second
        .quad   first
        .section .fini_array, "aw", @fini_array
        .p2align 3
        .quad   second

#| before
#| section .text: Code, 2 bytes, align 4
#|   0000: c3 c3
#| section .init_array.00101: Init(101), 8 bytes, align 8
#|   0000: 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 .text
#| section .init_array: Init(65535), 16 bytes, align 8
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 .text + 0x1
#|   0008: R_X86_64_64 .text
#| section .fini_array: Fini(65535), 8 bytes, align 8
#|   0000: 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 .text + 0x1
#| symbol first: .text+0x0, own, Function, 1 bytes
#| symbol second: .text+0x1, own, Function, 1 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: ret
#|   0001: ret
#| section .init_array.00101 at data+0x0
#|   0000: .text+0x0 (R_X86_64_64)
#| section .init_array at data+0x8
#|   0000: .text+0x1 (R_X86_64_64)
#|   0008: .text+0x0 (R_X86_64_64)
#| section .fini_array at data+0x18
#|   0000: .text+0x1 (R_X86_64_64)
#| constructor 101: .text+0x0
#| constructor 65535: .text+0x1
#| constructor 65535: .text+0x0
#| destructor 65535: .text+0x1
