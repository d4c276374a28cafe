; about: linkonce, linkonce_odr and weak_odr give way to a strong definition, and are kept by a use
; ldflags: -Wl,--defsym=nobody=0
; > first module's 1
; > strong 2
; > strong data 3
; > weak_odr 4
target triple = "x86_64-pc-linux-gnu"

@l1 = private constant [19 x i8] c"first module's %d\0A\00"
@l2 = private constant [11 x i8] c"strong %d\0A\00"
@l3 = private constant [16 x i8] c"strong data %d\0A\00"
@l4 = private constant [13 x i8] c"weak_odr %d\0A\00"
@data = linkonce global i32 100
declare i32 @printf(ptr, ...)
declare i32 @other()

define linkonce_odr i32 @both() noinline { ret i32 1 }
define linkonce i32 @over() noinline { ret i32 100 }
define weak_odr i32 @kept() noinline { ret i32 4 }
define linkonce_odr i32 @unused() noinline {
  %x = call i32 @nobody()
  ret i32 %x
}
declare i32 @nobody()

define i32 @main() {
  %zero = call i32 @other()
  %one = call i32 @both()
  %a = add i32 %one, %zero
  call i32 (ptr, ...) @printf(ptr @l1, i32 %a)
  %two = call i32 @over()
  call i32 (ptr, ...) @printf(ptr @l2, i32 %two)
  %three = load i32, ptr @data
  call i32 (ptr, ...) @printf(ptr @l3, i32 %three)
  %four = call i32 @kept()
  call i32 (ptr, ...) @printf(ptr @l4, i32 %four)
  ret i32 0
}
