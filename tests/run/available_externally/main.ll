; about: an available_externally body is only a hint: the definition elsewhere is what counts
; > elsewhere 2, data 20
; > same address
target triple = "x86_64-pc-linux-gnu"

@data = available_externally global i32 10
@l1 = private constant [23 x i8] c"elsewhere %d, data %d\0A\00"
@l2 = private constant [14 x i8] c"same address\0A\00"
declare i32 @printf(ptr, ...)
declare ptr @address()

define available_externally i32 @hint() noinline { ret i32 2 }

; Libc has the definition of this one.
define available_externally i32 @toupper(i32 %c) noinline { ret i32 65 }

define i32 @main() {
  %x = call i32 @hint()
  %y = load i32, ptr @data
  call i32 (ptr, ...) @printf(ptr @l1, i32 %x, i32 %y)
  %upper = call i32 @toupper(i32 97)
  %elsewhere = call ptr @address()
  %same = icmp eq ptr %elsewhere, @hint
  %right = icmp eq i32 %upper, 65
  %both = and i1 %same, %right
  br i1 %both, label %print, label %end
print:
  call i32 (ptr, ...) @printf(ptr @l2)
  br label %end
end:
  ret i32 0
}
