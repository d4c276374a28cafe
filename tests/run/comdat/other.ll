target triple = "x86_64-pc-linux-gnu"

$group = comdat any
@group.data = linkonce_odr global i32 21, comdat($group)
@group.hidden = internal global i32 20, comdat($group)

define linkonce_odr i32 @group() noinline comdat {
  %value = load i32, ptr @group.hidden
  ret i32 %value
}

define i32 @other() noinline {
  %value = call i32 @group()
  ret i32 %value
}
define ptr @other.data() noinline {
  ret ptr @group.data
}

; A group whose key is not one of its members, as clang makes for C5/D5.
$key = comdat any
@member = linkonce_odr constant i32 40, comdat($key)
define i32 @forty() noinline {
  %value = load i32, ptr @member
  ret i32 %value
}
