; about: every argument register, the static chain and al arrive at a first call as they were set
; > 0
target triple = "x86_64-pc-linux-gnu"

@format = private constant [4 x i8] c"%d\0A\00"
declare i32 @printf(ptr, ...)

define i1 @is(<2 x i64> %vector, i64 %low, i64 %high) {
  %a = extractelement <2 x i64> %vector, i32 0
  %b = extractelement <2 x i64> %vector, i32 1
  %same.a = icmp eq i64 %a, %low
  %same.b = icmp eq i64 %b, %high
  %same = and i1 %same.a, %same.b
  ret i1 %same
}

; The number of the bits is the register that is wrong.
define i32 @check(ptr nest %chain, i64 %rdi, i64 %rsi, i64 %rdx, i64 %rcx, i64 %r8, i64 %r9,
                  <2 x i64> %v0, <2 x i64> %v1, <2 x i64> %v2, <2 x i64> %v3,
                  <2 x i64> %v4, <2 x i64> %v5, <2 x i64> %v6, <2 x i64> %v7, i64 %stack) noinline {
  %chain.bits = ptrtoint ptr %chain to i64
  %w0 = icmp ne i64 %chain.bits, 1152921504606846991
  %w1 = icmp ne i64 %rdi, 1229782938247303441
  %w2 = icmp ne i64 %rsi, 2459565876494606882
  %w3 = icmp ne i64 %rdx, 3689348814741910323
  %w4 = icmp ne i64 %rcx, 4919131752989213764
  %w5 = icmp ne i64 %r8, 6148914691236517205
  %w6 = icmp ne i64 %r9, 7378697629483820646
  %w7 = icmp ne i64 %stack, 8608480567731124087
  %any0 = or i1 %w0, %w1
  %any1 = or i1 %w2, %w3
  %any2 = or i1 %w4, %w5
  %any3 = or i1 %w6, %w7
  %any4 = or i1 %any0, %any1
  %any5 = or i1 %any2, %any3
  %wrong.integers = or i1 %any4, %any5
  %r0 = call i1 @is(<2 x i64> %v0, i64 100, i64 -100)
  %r1 = call i1 @is(<2 x i64> %v1, i64 101, i64 -101)
  %r2 = call i1 @is(<2 x i64> %v2, i64 102, i64 -102)
  %r3 = call i1 @is(<2 x i64> %v3, i64 103, i64 -103)
  %r4 = call i1 @is(<2 x i64> %v4, i64 104, i64 -104)
  %r5 = call i1 @is(<2 x i64> %v5, i64 105, i64 -105)
  %r6 = call i1 @is(<2 x i64> %v6, i64 106, i64 -106)
  %r7 = call i1 @is(<2 x i64> %v7, i64 107, i64 -107)
  %all0 = and i1 %r0, %r1
  %all1 = and i1 %r2, %r3
  %all2 = and i1 %r4, %r5
  %all3 = and i1 %r6, %r7
  %all4 = and i1 %all0, %all1
  %all5 = and i1 %all2, %all3
  %right.vectors = and i1 %all4, %all5
  %wrong.vectors = xor i1 %right.vectors, true
  %integers = zext i1 %wrong.integers to i32
  %vectors = zext i1 %wrong.vectors to i32
  %two = shl i32 %vectors, 1
  %result = or i32 %integers, %two
  ret i32 %result
}

define i32 @main() {
  %chain = inttoptr i64 1152921504606846991 to ptr
  %wrong = call i32 @check(ptr nest %chain,
      i64 1229782938247303441, i64 2459565876494606882, i64 3689348814741910323,
      i64 4919131752989213764, i64 6148914691236517205, i64 7378697629483820646,
      <2 x i64> <i64 100, i64 -100>, <2 x i64> <i64 101, i64 -101>,
      <2 x i64> <i64 102, i64 -102>, <2 x i64> <i64 103, i64 -103>,
      <2 x i64> <i64 104, i64 -104>, <2 x i64> <i64 105, i64 -105>,
      <2 x i64> <i64 106, i64 -106>, <2 x i64> <i64 107, i64 -107>,
      i64 8608480567731124087)
  %al = call i32 @vector_count()
  %sum = add i32 %wrong, %al
  call i32 (ptr, ...) @printf(ptr @format, i32 %sum)
  ret i32 0
}

; Calls @read_al, which returns al, first as a variadic function of three doubles.
define i32 @vector_count() noinline {
  %al = call i64 (i64, ...) @read_al(i64 0, double 1.0, double 2.0, double 3.0)
  %count = trunc i64 %al to i32
  %wrong = icmp ne i32 %count, 3
  %result = select i1 %wrong, i32 4, i32 0
  ret i32 %result
}
define i64 @read_al(i64 %unused, ...) naked noinline {
  call void asm sideeffect "movzbl %al, %eax; ret", "~{rax},~{dirflag},~{fpsr},~{flags}"()
  unreachable
}
