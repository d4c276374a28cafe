; about: intrinsics that become library calls, compiler-rt calls, or code with constants
; > 2.0 8 -1 120 5 1
; > 100000000000000000000000
; > 24 1.5
target triple = "x86_64-pc-linux-gnu"

@l1 = private constant [23 x i8] c"%.1f %d %d %.0f %d %d\0A\00"
@l2 = private constant [13 x i8] c"%llu%012llu\0A\00"
@l3 = private constant [9 x i8] c"%d %.1f\0A\00"
@buffer = internal global [64 x i8] zeroinitializer
declare i32 @printf(ptr, ...)
declare double @llvm.cos.f64(double)
declare double @llvm.pow.f64(double, double)
declare i32 @llvm.ctpop.i32(i32)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare { i32, i1 } @llvm.sadd.with.overflow.i32(i32, i32)
declare i32 @llvm.bswap.i32(i32)

define i32 @main() {
  %zero = load volatile double, ptr @zero
  %cosine = call double @llvm.cos.f64(double %zero)
  %two = fadd double %cosine, 1.0
  %bits = load volatile i32, ptr @bits
  %population = call i32 @llvm.ctpop.i32(i32 %bits)
  call void @llvm.memset.p0.i64(ptr @buffer, i8 -1, i64 64, i1 false)
  %byte.slot = getelementptr i8, ptr @buffer, i64 63
  %byte = load volatile i8, ptr %byte.slot
  %minus = sext i8 %byte to i32
  %five = load volatile i32, ptr @five
  %sum = call { i32, i1 } @llvm.sadd.with.overflow.i32(i32 2147483647, i32 %five)
  %overflow.bit = extractvalue { i32, i1 } %sum, 1
  %overflow = zext i1 %overflow.bit to i32
  %power = call double @llvm.pow.f64(double 2.0, double 3.0)
  %hundred = fmul double %power, 15.0
  call i32 (ptr, ...) @printf(ptr @l1, double %two, i32 %population, i32 %minus, double %hundred, i32 %five, i32 %overflow)
  ; Division of 128-bit integers is a call of compiler-rt or libgcc.
  %wide = load volatile i128, ptr @wide
  %divisor = load volatile i128, ptr @divisor
  %quotient = udiv i128 %wide, %divisor
  %high = trunc i128 %quotient to i64
  %rest = urem i128 %wide, %divisor
  %low = trunc i128 %rest to i64
  call i32 (ptr, ...) @printf(ptr @l2, i64 %high, i64 %low)
  %swapped = call i32 @llvm.bswap.i32(i32 402653184)
  %half = load volatile half, ptr @half
  %extended = fpext half %half to double
  call i32 (ptr, ...) @printf(ptr @l3, i32 %swapped, double %extended)
  ret i32 0
}
@zero = internal global double 0.0
@bits = internal global i32 255
@five = internal global i32 5
@wide = internal global i128 100000000000000000000000
@divisor = internal global i128 1000000000000
@half = internal global half 0xH3E00
