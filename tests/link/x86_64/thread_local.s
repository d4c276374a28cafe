# about: thread-local variables in the general and local dynamic models
        .text
        .globl  general
        .type   general, @function
general:
        data16
        leaq    shared@TLSGD(%rip), %rdi
        data16
        data16
        rex64
        callq   __tls_get_addr@PLT
        ret
        .size   general, . - general

        .globl  local
        .type   local, @function
local:  leaq    own@TLSLD(%rip), %rdi
        callq   __tls_get_addr@PLT
        leaq    own@DTPOFF(%rax), %rcx
        leaq    zero@DTPOFF(%rax), %rdx
        ret
        .size   local, . - local

        .section .tdata, "awT", @progbits
        .p2align 3
        .globl  shared
        .type   shared, @object
shared: .quad   7
        .size   shared, 8
        .type   own, @object
own:    .long   8
        .size   own, 4

        .section .tbss, "awT", @nobits
        .p2align 4
        .type   zero, @object
zero:   .zero   16
        .size   zero, 16

#| before
#| section .text: Code, 44 bytes, align 4
#|   0000: 66 48 8d 3d 00 00 00 00 66 66 48 e8 00 00 00 00
#|   0010: c3 48 8d 3d 00 00 00 00 e8 00 00 00 00 48 8d 88
#|   0020: 00 00 00 00 48 8d 90 00 00 00 00 c3
#|   0004: R_X86_64_TLSGD shared - 0x4
#|   000c: R_X86_64_PLT32 __tls_get_addr - 0x4
#|   0014: R_X86_64_TLSLD own - 0x4
#|   0019: R_X86_64_PLT32 __tls_get_addr - 0x4
#|   0020: R_X86_64_DTPOFF32 own
#|   0027: R_X86_64_DTPOFF32 zero
#| section .tdata: ThreadLocal, 12 bytes, align 8
#|   0000: 07 00 00 00 00 00 00 00 08 00 00 00
#| section .tbss: ThreadLocal, 16 bytes, align 16
#| symbol own: .tdata+0x8, own, ThreadLocal, 4 bytes
#| symbol zero: .tbss+0x0, own, ThreadLocal, 16 bytes
#| symbol general: .text+0x0, Function, 17 bytes
#| symbol shared: .tdata+0x0, ThreadLocal, 8 bytes
#| symbol __tls_get_addr: undefined
#| symbol local: .text+0x11, Function, 27 bytes
#|
#| after
#| section .text at code+0x20
#|   0000: lea pair(0x0),%rdi
#|   0008: call stub(__tls_get_addr)
#|   0010: ret
#|   0011: lea pair(0x0),%rdi
#|   0018: call stub(__tls_get_addr)
#|   001d: lea 8(%rax),%rcx
#|   0024: lea 0x10(%rax),%rdx
#|   002b: ret
#| section .tdata at read-only+0x0
#|   0000: 07 00 00 00 00 00 00 00 08 00 00 00
#| section .tbss at read-only+0x10
#|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
