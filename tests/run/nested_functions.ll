; about: trampolines and the static chain: a nested function called through a pointer
; > 42
target triple = "x86_64-pc-linux-gnu"

@line = private constant [4 x i8] c"%d\0A\00"
declare i32 @printf(ptr, ...)
declare void @llvm.init.trampoline(ptr, ptr, ptr)
declare ptr @llvm.adjust.trampoline(ptr)
declare ptr @mmap(ptr, i64, i32, i32, i32, i64)
declare i32 @mprotect(ptr, i64, i32)

define i32 @nested(ptr nest %frame, i32 %x) noinline {
  %base = load i32, ptr %frame
  %sum = add i32 %base, %x
  ret i32 %sum
}
define i32 @call(ptr %function) noinline {
  %result = call i32 %function(i32 2)
  ret i32 %result
}
define i32 @main() {
  %frame = alloca i32
  store i32 40, ptr %frame
  ; PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
  %memory = call ptr @mmap(ptr null, i64 4096, i32 3, i32 34, i32 -1, i64 0)
  call void @llvm.init.trampoline(ptr %memory, ptr @nested, ptr %frame)
  ; PROT_READ | PROT_EXEC
  %done = call i32 @mprotect(ptr %memory, i64 4096, i32 5)
  %function = call ptr @llvm.adjust.trampoline(ptr %memory)
  %result = call i32 @call(ptr %function)
  call i32 (ptr, ...) @printf(ptr @line, i32 %result)
  ret i32 0
}
