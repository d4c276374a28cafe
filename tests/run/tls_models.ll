; about: all four TLS models of LLVM IR in one function
; > 1 2 3 4 0 4
; > 11 12 13 14 10 14
target triple = "x86_64-pc-linux-gnu"

@general = thread_local global i32 1
@dynamic = internal thread_local(localdynamic) global i32 2
@dynamic2 = internal thread_local(localdynamic) global i32 0
@initial = thread_local(initialexec) global i32 3
@local = internal thread_local(localexec) global i32 4
@line = private constant [19 x i8] c"%d %d %d %d %d %d\0A\00"
declare i32 @printf(ptr, ...)
declare ptr @llvm.threadlocal.address.p0(ptr)

define void @show(i32 %add) noinline {
  %pg = call ptr @llvm.threadlocal.address.p0(ptr @general)
  %g = load i32, ptr %pg
  %pd = call ptr @llvm.threadlocal.address.p0(ptr @dynamic)
  %d = load i32, ptr %pd
  %pi = call ptr @llvm.threadlocal.address.p0(ptr @initial)
  %i = load i32, ptr %pi
  %pl = call ptr @llvm.threadlocal.address.p0(ptr @local)
  %l = load i32, ptr %pl
  %pz = call ptr @llvm.threadlocal.address.p0(ptr @dynamic2)
  %z = load i32, ptr %pz
  %o = load i32, ptr @local
  call i32 (ptr, ...) @printf(ptr @line, i32 %g, i32 %d, i32 %i, i32 %l, i32 %z, i32 %o)
  %g1 = add i32 %g, %add
  %d1 = add i32 %d, %add
  %i1 = add i32 %i, %add
  %l1 = add i32 %l, %add
  %z1 = add i32 %z, %add
  store i32 %g1, ptr %pg
  store i32 %d1, ptr %pd
  store i32 %i1, ptr %pi
  store i32 %l1, ptr %pl
  store i32 %z1, ptr %pz
  ret void
}

define i32 @main() {
  call void @show(i32 10)
  call void @show(i32 10)
  ret i32 0
}
