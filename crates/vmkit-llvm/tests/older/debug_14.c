// debug_14.bc is this, made by clang 14:
//     clang-14 -g -O1 -fno-inline -fdebug-compilation-dir=. -emit-llvm -c
int square(int x) { int y = x * x; return y; }
int cube(int x) { int y = x * square(x); return y; }
