// about: module assembly defines global and local symbols, data and sections, and calls C
// > ok
#include "check.h"

__asm__(".text\n"
        ".globl asm_global\n"
        ".type asm_global, @function\n"
        "asm_global:\n\tleal 1(%rdi), %eax\n\tret\n"
        ".size asm_global, .-asm_global\n");
int asm_global(int x);

// Calls a C function of this module, which may be uncompiled by then, and a local symbol.
__asm__(".text\n"
        ".globl asm_caller\n"
        "asm_caller:\n"
        "\tsubq $8, %rsp\n\tcall c_function@PLT\n\taddq $8, %rsp\n\tcall local_helper\n\tret\n"
        "local_helper:\n\taddl $100, %eax\n\tret\n");
int asm_caller(int x);
__attribute__((used, noinline)) int c_function(int x) { return x * 2; }

// Also a static one, which no other module can see.
__attribute__((used, noinline)) static int c_static(int x) { return x * 3; }
__asm__(".globl asm_static_caller\n"
        "asm_static_caller:\n\tjmp c_static\n");
int asm_static_caller(int x);

__asm__(".pushsection .data.asm,\"aw\",@progbits\n"
        ".globl asm_data\n.p2align 3\n.type asm_data, @object\n.size asm_data, 8\n"
        "asm_data:\n\t.quad 77\n"
        ".popsection\n");
extern long asm_data;

__asm__(".pushsection .rodata.asm,\"a\",@progbits\n"
        ".globl asm_table\n.p2align 3\n"
        "asm_table:\n\t.quad asm_global, c_function, asm_data\n"
        ".popsection\n");
extern void *const asm_table[] __attribute__((visibility("default")));

__asm__(".globl asm_alias\n.set asm_alias, asm_global\n");
int asm_alias(int x);

int in_other(int x);
int (*asm_address_in_other(void))(int);

int main(void) {
    CHECK(asm_global(1) == 2);
    CHECK(asm_caller(5) == 110);
    CHECK(asm_static_caller(5) == 15);
    CHECK(asm_data == 77);
    asm_data = 78;
    CHECK(*(long *)asm_table[2] == 78);
    CHECK(((int (*)(int))asm_table[0])(6) == 7 && ((int (*)(int))asm_table[1])(6) == 12);
    CHECK(asm_alias(3) == 4);
    CHECK(in_other(2) == 2 + 1 + 1000);
    CHECK(asm_address_in_other() == asm_global);
    puts("ok");
}
