; about: code that takes the address of another function's block
; > two
; > one
; > one
; > same
target triple = "x86_64-pc-linux-gnu"

@one = private constant [4 x i8] c"one\00"
@two = private constant [4 x i8] c"two\00"
@same = private constant [5 x i8] c"same\00"
declare i32 @puts(ptr)

define void @jump(ptr %to) noinline {
  indirectbr ptr %to, [label %one, label %two]
one:
  %a = call i32 @puts(ptr @one)
  ret void
two:
  %b = call i32 @puts(ptr @two)
  ret void
}

define internal ptr @first() noinline {
  ret ptr blockaddress(@jump, %one)
}

define ptr @second() noinline {
  ret ptr inttoptr (i64 sub (i64 add (i64 ptrtoint (ptr blockaddress(@jump, %two) to i64), i64 1), i64 1) to ptr)
}

define void @difference(i64 %distance) noinline {
  %one = ptrtoint ptr blockaddress(@jump, %one) to i64
  %place = add i64 %one, %distance
  %to = inttoptr i64 %place to ptr
  call void @jump(ptr %to)
  ret void
}

define i32 @main() {
  %second = call ptr @second()
  call void @jump(ptr %second)
  %first = call ptr @first()
  call void @jump(ptr %first)
  call void @difference(i64 0)
  %again = call ptr @first()
  %is_same = icmp eq ptr %first, %again
  br i1 %is_same, label %yes, label %no
yes:
  %c = call i32 @puts(ptr @same)
  ret i32 0
no:
  ret i32 1
}
