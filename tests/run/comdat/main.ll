; about: comdat groups: the first is kept whole, a private member follows its group and needs no member of its own name
; > group 10 data 11
; > other sees 10 data 11
; > keyed 40
target triple = "x86_64-pc-linux-gnu"

$group = comdat any
@group.data = linkonce_odr global i32 11, comdat($group)
@group.hidden = internal global i32 10, comdat($group)
@l1 = private constant [18 x i8] c"group %d data %d\0A\00"
@l2 = private constant [23 x i8] c"other sees %d data %d\0A\00"
@l3 = private constant [10 x i8] c"keyed %d\0A\00"
declare i32 @printf(ptr, ...)
declare i32 @other()
declare ptr @other.data()
declare i32 @forty()

define linkonce_odr i32 @group() noinline comdat {
  %value = load i32, ptr @group.hidden
  ret i32 %value
}

define i32 @main() {
  %a = call i32 @group()
  %b = load i32, ptr @group.data
  call i32 (ptr, ...) @printf(ptr @l1, i32 %a, i32 %b)
  %c = call i32 @other()
  %p = call ptr @other.data()
  %d = load i32, ptr %p
  call i32 (ptr, ...) @printf(ptr @l2, i32 %c, i32 %d)
  %forty = call i32 @forty()
  call i32 (ptr, ...) @printf(ptr @l3, i32 %forty)
  ret i32 0
}
