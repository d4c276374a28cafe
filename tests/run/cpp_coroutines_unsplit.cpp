// about: coroutines that the compiler has left for link-time optimization, or altogether
// cflags: -O2 -flto=thin -std=c++20
// cflags: -O1 -Xclang -disable-llvm-passes -std=c++20
// native: no, its linker would have to optimize
// > 0 1 1 2 3 5 8 13 21 34
// > caught inside
// > destroyed half-way
#include "cpp_coroutines.cpp"
