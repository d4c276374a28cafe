; about: a function that LLVM found to be called never has no instruction; who calls it is stopped
; native: no, it runs on into whatever lies behind
; > no two at one address
; signal: SIGTRAP
@text = private constant [23 x i8] c"no two at one address\0A\00"
declare i32 @printf(ptr, ...)
declare i32 @fflush(ptr)
declare void @abort()
define void @nothing() uwtable {
  unreachable
}
define void @nothing_either() uwtable {
  unreachable
}
define i32 @main(i32 %count, ptr %arguments) {
  %same = icmp eq ptr @nothing, @nothing_either
  br i1 %same, label %wrong, label %right
wrong:
  call void @abort()
  unreachable
right:
  call i32 (ptr, ...) @printf(ptr @text)
  call i32 @fflush(ptr null)
  %many = icmp sgt i32 %count, 0
  %callee = select i1 %many, ptr @nothing, ptr @abort
  call void %callee()
  ret i32 0
}
