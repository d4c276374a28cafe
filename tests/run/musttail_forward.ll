; about: musttail of variadic thunks, of calls with stack arguments, and a million deep in tailcc
; > forwarded 1 2.5 3 4.5 5 6 7 8
; > stack 36
; > deep 1000000
target triple = "x86_64-pc-linux-gnu"

@format = private constant [35 x i8] c"forwarded %d %g %d %g %d %d %d %d\0A\00"
@stack.line = private constant [10 x i8] c"stack %d\0A\00"
@deep.line = private constant [9 x i8] c"deep %d\0A\00"
declare i32 @printf(ptr, ...)

; Forwards what it does not know: every argument register, the stack, and al.
define i32 @thunk(ptr %format, ...) noinline {
  %result = musttail call i32 (ptr, ...) @printf(ptr %format, ...)
  ret i32 %result
}
define i32 @outer.thunk(ptr %format, ...) noinline {
  %result = musttail call i32 (ptr, ...) @thunk(ptr %format, ...)
  ret i32 %result
}

define i32 @sum(i32 %a, i32 %b, i32 %c, i32 %d, i32 %e, i32 %f, i32 %g, i32 %h) noinline {
  %ab = add i32 %a, %b
  %cd = add i32 %c, %d
  %ef = add i32 %e, %f
  %gh = add i32 %g, %h
  %abcd = add i32 %ab, %cd
  %efgh = add i32 %ef, %gh
  %sum = add i32 %abcd, %efgh
  ret i32 %sum
}
define i32 @reversed(i32 %a, i32 %b, i32 %c, i32 %d, i32 %e, i32 %f, i32 %g, i32 %h) noinline {
  %result = musttail call i32 @sum(i32 %h, i32 %g, i32 %f, i32 %e, i32 %d, i32 %c, i32 %b, i32 %a)
  ret i32 %result
}

; The two differ in their arguments, which only tailcc allows.
define tailcc i32 @few(i32 %left, i32 %done) noinline {
  %end = icmp eq i32 %left, 0
  br i1 %end, label %out, label %go
go:
  %next = sub i32 %left, 1
  %more = add i32 %done, 1
  %result = musttail call tailcc i32 @many(i32 %next, i32 1, i32 7, i32 8, i32 %more)
  ret i32 %result
out:
  ret i32 %done
}
define tailcc i32 @many(i32 %left, i32 %a, i32 %g, i32 %h, i32 %done) noinline {
  %end = icmp eq i32 %left, 0
  br i1 %end, label %out, label %go
go:
  %next = sub i32 %left, 1
  ; 1, which only %a and %h together make.
  %difference = sub i32 %h, %g
  %one = mul i32 %a, %difference
  %more = add i32 %done, %one
  %result = musttail call tailcc i32 @few(i32 %next, i32 %more)
  ret i32 %result
out:
  ret i32 %done
}

define i32 @main() {
  call i32 (ptr, ...) @outer.thunk(ptr @format, i32 1, double 2.5, i32 3, double 4.5, i32 5, i32 6, i32 7, i32 8)
  %sum = call i32 @reversed(i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8)
  call i32 (ptr, ...) @printf(ptr @stack.line, i32 %sum)
  %deep = call tailcc i32 @few(i32 1000000, i32 0)
  call i32 (ptr, ...) @printf(ptr @deep.line, i32 %deep)
  ret i32 0
}
