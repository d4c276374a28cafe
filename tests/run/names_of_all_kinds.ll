; about: names with spaces, quotes, dots, Unicode and a \01 prefix; unnamed functions and data
; > 1 2 3 4 5 6 7
target triple = "x86_64-pc-linux-gnu"

@line = private constant [22 x i8] c"%d %d %d %d %d %d %d\0A\00"
@0 = internal global i32 5
@"quoted \22datum\22" = global i32 6
@"\01literal" = global i32 7
declare i32 @printf(ptr, ...)

define i32 @"with space"() noinline { ret i32 1 }
define i32 @"gr\C3\BC\C3\9Fe"() noinline { ret i32 2 }
define i32 @"\01prefixed"() noinline { ret i32 3 }
define internal i32 @1() noinline { ret i32 4 }

define i32 @main() {
  %a = call i32 @"with space"()
  %b = call i32 @"gr\C3\BC\C3\9Fe"()
  %c = call i32 @"\01prefixed"()
  %d = call i32 @1()
  %e = load i32, ptr @0
  %f = load i32, ptr @"quoted \22datum\22"
  %g = load i32, ptr @"\01literal"
  call i32 (ptr, ...) @printf(ptr @line, i32 %a, i32 %b, i32 %c, i32 %d, i32 %e, i32 %f, i32 %g)
  ret i32 0
}
