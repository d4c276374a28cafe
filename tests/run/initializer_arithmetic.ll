; about: initializers made of differences, truncations and sums of addresses
; > relative 1, narrow 1, difference 24, plus 1, self 0
; > relative function 5 6
; > packed 1
target triple = "x86_64-pc-linux-gnu"

@base = internal constant [8 x i32] [i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7]
@target = internal constant i32 77
; As in relative vtables: a 32-bit offset from the entry itself.
@relative = internal constant i32 trunc (i64 sub (i64 ptrtoint (ptr @target to i64), i64 ptrtoint (ptr @relative to i64)) to i32)
@distance = internal constant i64 sub (i64 ptrtoint (ptr getelementptr ([8 x i32], ptr @base, i64 0, i64 6) to i64), i64 ptrtoint (ptr @base to i64))
@plus = internal global i64 add (i64 ptrtoint (ptr @target to i64), i64 5)
@self = internal global i64 sub (i64 ptrtoint (ptr @self to i64), i64 ptrtoint (ptr @self to i64))
@packed = internal global <{ i8, i64, ptr }> <{ i8 1, i64 ptrtoint (ptr @target to i64), ptr @packed }>
@functions = internal constant [2 x i32] [
  i32 trunc (i64 sub (i64 ptrtoint (ptr @five to i64), i64 ptrtoint (ptr @functions to i64)) to i32),
  i32 trunc (i64 sub (i64 ptrtoint (ptr @six to i64), i64 ptrtoint (ptr @functions to i64)) to i32)]

@l1 = private constant [57 x i8] c"relative %d, narrow %d, difference %d, plus %d, self %d\0A\00"
@l2 = private constant [25 x i8] c"relative function %d %d\0A\00"
@l3 = private constant [11 x i8] c"packed %d\0A\00"
declare i32 @printf(ptr, ...)

define internal i32 @five() noinline { ret i32 5 }
define internal i32 @six() noinline { ret i32 6 }

define internal i32 @call.relative(i64 %i) noinline {
  %entry = getelementptr [2 x i32], ptr @functions, i64 0, i64 %i
  %offset = load volatile i32, ptr %entry
  %wide = sext i32 %offset to i64
  %callee = getelementptr i8, ptr @functions, i64 %wide
  %result = call i32 %callee()
  ret i32 %result
}

define i32 @main() {
  %offset = load volatile i32, ptr @relative
  %wide = sext i32 %offset to i64
  %address = getelementptr i8, ptr @relative, i64 %wide
  %same = icmp eq ptr %address, @target
  %r = zext i1 %same to i32
  %value = load volatile i32, ptr %address
  %is77 = icmp eq i32 %value, 77
  %n = zext i1 %is77 to i32
  %d = load volatile i64, ptr @distance
  %p = load volatile i64, ptr @plus
  %target = ptrtoint ptr @target to i64
  %over = sub i64 %p, %target
  %isfive = icmp eq i64 %over, 5
  %f = zext i1 %isfive to i32
  %s = load volatile i64, ptr @self
  call i32 (ptr, ...) @printf(ptr @l1, i32 %r, i32 %n, i64 %d, i32 %f, i64 %s)
  %five = call i32 @call.relative(i64 0)
  %six = call i32 @call.relative(i64 1)
  call i32 (ptr, ...) @printf(ptr @l2, i32 %five, i32 %six)
  %number.slot = getelementptr i8, ptr @packed, i64 1
  %number = load volatile i64, ptr %number.slot, align 1
  %pointer.slot = getelementptr i8, ptr @packed, i64 9
  %pointer = load volatile ptr, ptr %pointer.slot, align 1
  %a = icmp eq i64 %number, %target
  %b = icmp eq ptr %pointer, @packed
  %both = and i1 %a, %b
  %bit = zext i1 %both to i32
  call i32 (ptr, ...) @printf(ptr @l3, i32 %bit)
  ret i32 0
}
