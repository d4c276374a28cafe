// Both modules have a local symbol of this name.
__asm__(".text\nlocal_helper:\n\taddl $1000, %eax\n\tret\n"
        ".globl other_asm\nother_asm:\n"
        "\tsubq $8, %rsp\n\tcall asm_global@PLT\n\taddq $8, %rsp\n\tjmp local_helper\n");
int other_asm(int x);
int asm_global(int x);
int in_other(int x) { return other_asm(x); }
int (*asm_address_in_other(void))(int) { return asm_global; }
