# about: words, halves and differences in data; an address and an addend; a size
# extern: low 0x345678
        .data
        .p2align 3
        .globl  table
        .type   table, @object
table:  .quad   table + 8
        .quad   inner + 4
        .quad   constant - .
        .long   constant - .
        .long   low
        .long   low + 0x10
        .byte   1, 2, 3, 4
        .quad   function
        .quad   table@SIZE
        .long   table@SIZE + 1
        .size   table, . - table

        .section .rodata, "a", @progbits
        .p2align 4
inner:  .long   1, 2
        .globl  constant
        .type   constant, @object
constant:
        .asciz  "constant"
        .size   constant, . - constant

        .text
        .globl  function
        .type   function, @function
function:
        movl    $low, %edi
        movq    $low, %rax
        ret
        .size   function, . - function

#| before
#| section .text: Code, 13 bytes, align 4
#|   0000: bf 00 00 00 00 48 c7 c0 00 00 00 00 c3
#|   0001: R_X86_64_32 low
#|   0008: R_X86_64_32S low
#| section .data: Data, 60 bytes, align 8
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0010: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#|   0020: 00 00 00 00 01 02 03 04 00 00 00 00 00 00 00 00
#|   0030: 00 00 00 00 00 00 00 00 00 00 00 00
#|   0000: R_X86_64_64 table + 0x8
#|   0008: R_X86_64_64 .rodata + 0x4
#|   0010: R_X86_64_PC64 constant
#|   0018: R_X86_64_PC32 constant
#|   001c: R_X86_64_32 low
#|   0020: R_X86_64_32 low + 0x10
#|   0028: R_X86_64_64 function
#|   0030: R_X86_64_SIZE64 table
#|   0038: R_X86_64_SIZE32 table + 0x1
#| section .rodata: ReadOnly, 17 bytes, align 16
#|   0000: 01 00 00 00 02 00 00 00 63 6f 6e 73 74 61 6e 74
#|   0010: 00
#| symbol inner: .rodata+0x0, own
#| symbol table: .data+0x0, Data, 60 bytes
#| symbol constant: .rodata+0x8, Data, 9 bytes
#| symbol low: undefined
#| symbol function: .text+0x0, Function, 13 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: mov $low,%edi
#|   0005: mov $low,%rax
#|   000c: ret
#| section .data at data+0x0
#|   0000: .data+0x8 (R_X86_64_64)
#|   0008: .rodata+0x4 (R_X86_64_64)
#|   0010: .rodata+0x8 - . (R_X86_64_PC64)
#|   0018: .rodata+0x8 - . (R_X86_64_PC32)
#|   001c: low (R_X86_64_32)
#|   0020: low+0x10 (R_X86_64_32)
#|   0024: 01 02 03 04
#|   0028: .text+0x0 (R_X86_64_64)
#|   0030: 0x3c (R_X86_64_SIZE64)
#|   0038: 0x3d (R_X86_64_SIZE32)
#| section .rodata at read-only+0x0
#|   0000: 01 00 00 00 02 00 00 00 63 6f 6e 73 74 61 6e 74
#|   0010: 00
