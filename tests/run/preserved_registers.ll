; about: preserve_most and preserve_all keep the registers of their caller across a first call
; > preserve_most 136
; > preserve_all 136.0
target triple = "x86_64-pc-linux-gnu"

@most.line = private constant [18 x i8] c"preserve_most %d\0A\00"
@all.line = private constant [19 x i8] c"preserve_all %.1f\0A\00"
declare i32 @printf(ptr, ...)

define preserve_mostcc void @preserves.most() noinline { ret void }
define preserve_allcc void @preserves.all() noinline { ret void }

; The sixteen values live across the call, some of them in registers that the callee has to keep.
define i64 @around.most(ptr %p) noinline {
  %p1 = getelementptr i64, ptr %p, i64 1
  %v1 = load volatile i64, ptr %p1
  %p2 = getelementptr i64, ptr %p, i64 2
  %v2 = load volatile i64, ptr %p2
  %p3 = getelementptr i64, ptr %p, i64 3
  %v3 = load volatile i64, ptr %p3
  %p4 = getelementptr i64, ptr %p, i64 4
  %v4 = load volatile i64, ptr %p4
  %p5 = getelementptr i64, ptr %p, i64 5
  %v5 = load volatile i64, ptr %p5
  %p6 = getelementptr i64, ptr %p, i64 6
  %v6 = load volatile i64, ptr %p6
  %p7 = getelementptr i64, ptr %p, i64 7
  %v7 = load volatile i64, ptr %p7
  %p8 = getelementptr i64, ptr %p, i64 8
  %v8 = load volatile i64, ptr %p8
  %p9 = getelementptr i64, ptr %p, i64 9
  %v9 = load volatile i64, ptr %p9
  %p10 = getelementptr i64, ptr %p, i64 10
  %v10 = load volatile i64, ptr %p10
  %p11 = getelementptr i64, ptr %p, i64 11
  %v11 = load volatile i64, ptr %p11
  %p12 = getelementptr i64, ptr %p, i64 12
  %v12 = load volatile i64, ptr %p12
  %p13 = getelementptr i64, ptr %p, i64 13
  %v13 = load volatile i64, ptr %p13
  %p14 = getelementptr i64, ptr %p, i64 14
  %v14 = load volatile i64, ptr %p14
  %p15 = getelementptr i64, ptr %p, i64 15
  %v15 = load volatile i64, ptr %p15
  %p16 = getelementptr i64, ptr %p, i64 16
  %v16 = load volatile i64, ptr %p16
  call preserve_mostcc void @preserves.most()
  %s1 = add i64 0, %v1
  %s2 = add i64 %s1, %v2
  %s3 = add i64 %s2, %v3
  %s4 = add i64 %s3, %v4
  %s5 = add i64 %s4, %v5
  %s6 = add i64 %s5, %v6
  %s7 = add i64 %s6, %v7
  %s8 = add i64 %s7, %v8
  %s9 = add i64 %s8, %v9
  %s10 = add i64 %s9, %v10
  %s11 = add i64 %s10, %v11
  %s12 = add i64 %s11, %v12
  %s13 = add i64 %s12, %v13
  %s14 = add i64 %s13, %v14
  %s15 = add i64 %s14, %v15
  %s16 = add i64 %s15, %v16
  ret i64 %s16
}
define double @around.all(ptr %p) noinline {
  %p1 = getelementptr double, ptr %p, i64 1
  %v1 = load volatile double, ptr %p1
  %p2 = getelementptr double, ptr %p, i64 2
  %v2 = load volatile double, ptr %p2
  %p3 = getelementptr double, ptr %p, i64 3
  %v3 = load volatile double, ptr %p3
  %p4 = getelementptr double, ptr %p, i64 4
  %v4 = load volatile double, ptr %p4
  %p5 = getelementptr double, ptr %p, i64 5
  %v5 = load volatile double, ptr %p5
  %p6 = getelementptr double, ptr %p, i64 6
  %v6 = load volatile double, ptr %p6
  %p7 = getelementptr double, ptr %p, i64 7
  %v7 = load volatile double, ptr %p7
  %p8 = getelementptr double, ptr %p, i64 8
  %v8 = load volatile double, ptr %p8
  %p9 = getelementptr double, ptr %p, i64 9
  %v9 = load volatile double, ptr %p9
  %p10 = getelementptr double, ptr %p, i64 10
  %v10 = load volatile double, ptr %p10
  %p11 = getelementptr double, ptr %p, i64 11
  %v11 = load volatile double, ptr %p11
  %p12 = getelementptr double, ptr %p, i64 12
  %v12 = load volatile double, ptr %p12
  %p13 = getelementptr double, ptr %p, i64 13
  %v13 = load volatile double, ptr %p13
  %p14 = getelementptr double, ptr %p, i64 14
  %v14 = load volatile double, ptr %p14
  %p15 = getelementptr double, ptr %p, i64 15
  %v15 = load volatile double, ptr %p15
  %p16 = getelementptr double, ptr %p, i64 16
  %v16 = load volatile double, ptr %p16
  call preserve_allcc void @preserves.all()
  %s1 = fadd double 0.0, %v1
  %s2 = fadd double %s1, %v2
  %s3 = fadd double %s2, %v3
  %s4 = fadd double %s3, %v4
  %s5 = fadd double %s4, %v5
  %s6 = fadd double %s5, %v6
  %s7 = fadd double %s6, %v7
  %s8 = fadd double %s7, %v8
  %s9 = fadd double %s8, %v9
  %s10 = fadd double %s9, %v10
  %s11 = fadd double %s10, %v11
  %s12 = fadd double %s11, %v12
  %s13 = fadd double %s12, %v13
  %s14 = fadd double %s13, %v14
  %s15 = fadd double %s14, %v15
  %s16 = fadd double %s15, %v16
  ret double %s16
}
@numbers = global [17 x i64] [i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15, i64 16]
@fractions = global [17 x double] [double 0.0, double 1.0, double 2.0, double 3.0, double 4.0, double 5.0, double 6.0, double 7.0, double 8.0, double 9.0, double 10.0, double 11.0, double 12.0, double 13.0, double 14.0, double 15.0, double 16.0]

define i32 @main() {
  %most.sum = call i64 @around.most(ptr @numbers)
  call i32 (ptr, ...) @printf(ptr @most.line, i64 %most.sum)
  %all.sum = call double @around.all(ptr @fractions)
  call i32 (ptr, ...) @printf(ptr @all.line, double %all.sum)
  ret i32 0
}
