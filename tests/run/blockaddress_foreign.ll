; about: code that takes the address of another function's block cannot be compiled: told at its call
; native: no, there it can
; exit: 126
; stderr: it takes the address of a block of another function, labels
; > before
target triple = "x86_64-pc-linux-gnu"

@text = private constant [7 x i8] c"before\00"
declare i32 @puts(ptr)

define ptr @labels(i1 %x) noinline {
  br i1 %x, label %one, label %two
one:
  ret ptr null
two:
  ret ptr blockaddress(@labels, %one)
}

define i64 @foreign() noinline {
  ret i64 add (i64 ptrtoint (ptr blockaddress(@labels, %two) to i64), i64 1)
}

define i32 @main() {
  %a = call i32 @puts(ptr @text)
  %b = call ptr @labels(i1 true)
  %c = call i64 @foreign()
  ret i32 0
}
