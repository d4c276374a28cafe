__asm__(".text\n.globl of_assembly\n.type of_assembly, @function\nof_assembly: movl $20, %eax\nret\n");
