// about: C, C++, IR text and assembly in one program
// > c 1, cpp 2, ir 3, asm 4
#include <cstdio>
extern "C" int from_c(), from_ir(), from_asm();
int from_cpp();
int main() {
    std::printf("c %d, cpp %d, ir %d, asm %d\n", from_c(), from_cpp(), from_ir(), from_asm());
}
