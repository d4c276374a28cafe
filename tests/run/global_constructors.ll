; about: llvm.global_ctors with priorities and an associated datum, out of order
; > 1 2 3 main 5 4
target triple = "x86_64-pc-linux-gnu"

@llvm.global_ctors = appending global [3 x { i32, ptr, ptr }] [
  { i32, ptr, ptr } { i32 65535, ptr @third, ptr null },
  { i32, ptr, ptr } { i32 10, ptr @first, ptr @datum },
  { i32, ptr, ptr } { i32 200, ptr @second, ptr null }]
@llvm.global_dtors = appending global [2 x { i32, ptr, ptr }] [
  { i32, ptr, ptr } { i32 20, ptr @last, ptr null },
  { i32, ptr, ptr } { i32 65535, ptr @before.last, ptr null }]
@datum = internal global i32 0
@number = private constant [4 x i8] c"%d \00"
@text = private constant [6 x i8] c"main \00"
@end = private constant [4 x i8] c"%d\0A\00"
declare i32 @printf(ptr, ...)

define internal void @first() {
  call i32 (ptr, ...) @printf(ptr @number, i32 1)
  ret void
}
define internal void @second() {
  call i32 (ptr, ...) @printf(ptr @number, i32 2)
  ret void
}
define internal void @third() {
  call i32 (ptr, ...) @printf(ptr @number, i32 3)
  ret void
}
define internal void @before.last() {
  call i32 (ptr, ...) @printf(ptr @number, i32 5)
  ret void
}
define internal void @last() {
  call i32 (ptr, ...) @printf(ptr @end, i32 4)
  ret void
}
define i32 @main() {
  call i32 (ptr, ...) @printf(ptr @text)
  ret i32 0
}
