; about: conventions that pass arguments in registers which the C one leaves to the callee
; > fast 136
; > cold 136
; > tail 136
; > swift 136
; > swifttail 136
; > preserve_most 136
; > preserve_all 136
; > preserve_none 136
; > regcall 136
; > vectorcall 36.0
; > swiftself 5, swifterror 9
; > ghc 21
target triple = "x86_64-pc-linux-gnu"

declare i32 @printf(ptr, ...)
@fast.line = private constant [9 x i8] c"fast %d\0A\00"
@cold.line = private constant [9 x i8] c"cold %d\0A\00"
@tail.line = private constant [9 x i8] c"tail %d\0A\00"
@swift.line = private constant [10 x i8] c"swift %d\0A\00"
@swifttail.line = private constant [14 x i8] c"swifttail %d\0A\00"
@most.line = private constant [18 x i8] c"preserve_most %d\0A\00"
@all.line = private constant [17 x i8] c"preserve_all %d\0A\00"
@none.line = private constant [18 x i8] c"preserve_none %d\0A\00"
@regcall.line = private constant [12 x i8] c"regcall %d\0A\00"
@vectorcall.line = private constant [17 x i8] c"vectorcall %.1f\0A\00"
@self.line = private constant [29 x i8] c"swiftself %d, swifterror %d\0A\00"
@ghc.line = private constant [8 x i8] c"ghc %d\0A\00"

; The sum of the arguments, or 0 when two of them have changed places.
define i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %s0 = add i64 0, 0
  %k0 = and i1 true, true
  %s1 = add i64 %s0, %a1
  %e1 = icmp eq i64 %a1, 1
  %k1 = and i1 %k0, %e1
  %s2 = add i64 %s1, %a2
  %e2 = icmp eq i64 %a2, 2
  %k2 = and i1 %k1, %e2
  %s3 = add i64 %s2, %a3
  %e3 = icmp eq i64 %a3, 3
  %k3 = and i1 %k2, %e3
  %s4 = add i64 %s3, %a4
  %e4 = icmp eq i64 %a4, 4
  %k4 = and i1 %k3, %e4
  %s5 = add i64 %s4, %a5
  %e5 = icmp eq i64 %a5, 5
  %k5 = and i1 %k4, %e5
  %s6 = add i64 %s5, %a6
  %e6 = icmp eq i64 %a6, 6
  %k6 = and i1 %k5, %e6
  %s7 = add i64 %s6, %a7
  %e7 = icmp eq i64 %a7, 7
  %k7 = and i1 %k6, %e7
  %s8 = add i64 %s7, %a8
  %e8 = icmp eq i64 %a8, 8
  %k8 = and i1 %k7, %e8
  %s9 = add i64 %s8, %a9
  %e9 = icmp eq i64 %a9, 9
  %k9 = and i1 %k8, %e9
  %s10 = add i64 %s9, %a10
  %e10 = icmp eq i64 %a10, 10
  %k10 = and i1 %k9, %e10
  %s11 = add i64 %s10, %a11
  %e11 = icmp eq i64 %a11, 11
  %k11 = and i1 %k10, %e11
  %s12 = add i64 %s11, %a12
  %e12 = icmp eq i64 %a12, 12
  %k12 = and i1 %k11, %e12
  %s13 = add i64 %s12, %a13
  %e13 = icmp eq i64 %a13, 13
  %k13 = and i1 %k12, %e13
  %s14 = add i64 %s13, %a14
  %e14 = icmp eq i64 %a14, 14
  %k14 = and i1 %k13, %e14
  %s15 = add i64 %s14, %a15
  %e15 = icmp eq i64 %a15, 15
  %k15 = and i1 %k14, %e15
  %s16 = add i64 %s15, %a16
  %e16 = icmp eq i64 %a16, 16
  %k16 = and i1 %k15, %e16
  %result = select i1 %k16, i64 %s16, i64 0
  ret i64 %result
}

define fastcc i64 @fast(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define coldcc i64 @cold(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define tailcc i64 @tail(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define swiftcc i64 @swift(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define swifttailcc i64 @swifttail(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define preserve_mostcc i64 @most(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define preserve_allcc i64 @all(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define preserve_nonecc i64 @none(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define x86_regcallcc i64 @regcall(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16) noinline {
  %sum = call i64 @weigh(i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5, i64 %a6, i64 %a7, i64 %a8, i64 %a9, i64 %a10, i64 %a11, i64 %a12, i64 %a13, i64 %a14, i64 %a15, i64 %a16)
  ret i64 %sum
}

define x86_vectorcallcc double @vectorcall(double %a, double %b, double %c, double %d, double %e, double %f, i64 %i, double %g) noinline {
  %ab = fadd double %a, %b
  %cd = fadd double %c, %d
  %ef = fadd double %e, %f
  %whole = sitofp i64 %i to double
  %gi = fadd double %g, %whole
  %abcd = fadd double %ab, %cd
  %efgi = fadd double %ef, %gi
  %sum = fadd double %abcd, %efgi
  ret double %sum
}

define swiftcc i64 @swift.self(ptr swiftself %self, ptr swifterror %error) noinline {
  store ptr inttoptr (i64 9 to ptr), ptr %error
  %value = ptrtoint ptr %self to i64
  ret i64 %value
}

define ghccc void @ghc(i64 %base, i64 %sp, i64 %hp, i64 %r1, i64 %r2, i64 %r3) noinline noreturn {
  %a = add i64 %base, %sp
  %b = add i64 %hp, %r1
  %c = add i64 %r2, %r3
  %ab = add i64 %a, %b
  %abc = add i64 %ab, %c
  call void @finish(i64 %abc)
  unreachable
}
define void @finish(i64 %sum) noinline noreturn {
  store i64 %sum, ptr @ghc.sum
  call void @longjmp(ptr @jump, i32 1)
  unreachable
}
@ghc.sum = internal global i64 0
@jump = internal global [64 x i64] zeroinitializer, align 16
declare i32 @_setjmp(ptr) returns_twice
declare void @longjmp(ptr, i32) noreturn

define i32 @main() {
  %fast = call fastcc i64 @fast(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @fast.line, i64 %fast)
  %cold = call coldcc i64 @cold(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @cold.line, i64 %cold)
  %tail = call tailcc i64 @tail(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @tail.line, i64 %tail)
  %swift = call swiftcc i64 @swift(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @swift.line, i64 %swift)
  %swifttail = call swifttailcc i64 @swifttail(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @swifttail.line, i64 %swifttail)
  %most = call preserve_mostcc i64 @most(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @most.line, i64 %most)
  %all = call preserve_allcc i64 @all(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @all.line, i64 %all)
  %none = call preserve_nonecc i64 @none(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @none.line, i64 %none)
  %regcall = call x86_regcallcc i64 @regcall(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16)
  call i32 (ptr, ...) @printf(ptr @regcall.line, i64 %regcall)
  %v = call x86_vectorcallcc double @vectorcall(double 1.0, double 2.0, double 3.0, double 4.0, double 5.0, double 6.0, i64 7, double 8.0)
  call i32 (ptr, ...) @printf(ptr @vectorcall.line, double %v)

  %error = alloca swifterror ptr
  store ptr null, ptr %error
  %self = call swiftcc i64 @swift.self(ptr swiftself inttoptr (i64 5 to ptr), ptr swifterror %error)
  %thrown = load ptr, ptr %error
  %thrown.bits = ptrtoint ptr %thrown to i64
  call i32 (ptr, ...) @printf(ptr @self.line, i64 %self, i64 %thrown.bits)

  %again = call i32 @_setjmp(ptr @jump) returns_twice
  %first = icmp eq i32 %again, 0
  br i1 %first, label %jump.out, label %back
jump.out:
  call ghccc void @ghc(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6)
  unreachable
back:
  %sum = load i64, ptr @ghc.sum
  call i32 (ptr, ...) @printf(ptr @ghc.line, i64 %sum)

  ret i32 0
}
