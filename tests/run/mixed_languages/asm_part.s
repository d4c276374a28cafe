        .text
        .globl  from_asm
        .type   from_asm, @function
from_asm:
        movl    $4, %eax
        ret
        .section .note.GNU-stack,"",@progbits
