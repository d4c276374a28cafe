; about: aliases with an offset into data, to constant expressions, of aliases, and across types
; > 10 30 40 30
; > function 7 7
; > written 99
target triple = "x86_64-pc-linux-gnu"

@array = internal global [4 x i32] [i32 10, i32 20, i32 30, i32 40]
@third = alias i32, getelementptr inbounds ([4 x i32], ptr @array, i64 0, i64 2)
@fourth = alias i32, getelementptr inbounds (i8, ptr @third, i64 4)
@whole = weak alias [4 x i32], ptr @array
@as.bytes = alias i8, ptr @third
@function.alias = alias i32 (), ptr @function
@private.alias = internal alias i32 (), ptr @function.alias
@pointers = global [2 x ptr] [ptr @third, ptr @private.alias]

@l1 = private constant [13 x i8] c"%d %d %d %d\0A\00"
@l2 = private constant [16 x i8] c"function %d %d\0A\00"
@l3 = private constant [12 x i8] c"written %d\0A\00"
declare i32 @printf(ptr, ...)
declare void @write.third()

define i32 @function() noinline { ret i32 7 }

define i32 @main() {
  %a = load i32, ptr @whole
  %b = load i32, ptr @third
  %c = load i32, ptr @fourth
  %pointer = load ptr, ptr @pointers
  %d = load i32, ptr %pointer
  call i32 (ptr, ...) @printf(ptr @l1, i32 %a, i32 %b, i32 %c, i32 %d)
  %e = call i32 @function.alias()
  %slot = getelementptr [2 x ptr], ptr @pointers, i64 0, i64 1
  %callee = load ptr, ptr %slot
  %f = call i32 %callee()
  call i32 (ptr, ...) @printf(ptr @l2, i32 %e, i32 %f)
  call void @write.third()
  %element = getelementptr [4 x i32], ptr @array, i64 0, i64 2
  %g = load i32, ptr %element
  call i32 (ptr, ...) @printf(ptr @l3, i32 %g)
  ret i32 0
}
