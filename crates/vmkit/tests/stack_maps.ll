; Every kind of location: registers, a frame slot's address, memory, small and large constants,
; live-outs of a patch point, and a garbage-collected function's statepoint.
target triple = "x86_64-unknown-linux-gnu"
declare void @llvm.experimental.stackmap(i64, i32, ...)
declare void @llvm.experimental.patchpoint.void(i64, i32, ptr, i32, ...)
declare i64 @llvm.experimental.patchpoint.i64(i64, i32, ptr, i32, ...)
declare token @llvm.experimental.gc.statepoint.p0(i64, i32, ptr, i32, i32, ...)
declare ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token, i32, i32)
declare void @callee()
declare i64 @sink(ptr)

define i64 @mapped(i64 %a, i64 %b) {
  %slot = alloca i64
  call void (i64, i32, ...) @llvm.experimental.stackmap(i64 11, i32 0, i64 %a, i32 7, i64 81985529216486895, ptr %slot, i64 %b)
  %r = call i64 @sink(ptr %slot)
  ret i64 %r
}

define i64 @patched(i64 %a, i64 %b) {
  %r = call i64 (i64, i32, ptr, i32, ...) @llvm.experimental.patchpoint.i64(i64 -2, i32 15, ptr null, i32 2, i64 %a, i64 %b, i64 %a)
  %s = add i64 %r, %b
  ret i64 %s
}

define ptr addrspace(1) @safe(ptr addrspace(1) %p) gc "statepoint-example" {
  %t = call token (i64, i32, ptr, i32, i32, ...) @llvm.experimental.gc.statepoint.p0(i64 2882400000, i32 0, ptr elementtype(void ()) @callee, i32 0, i32 0, i32 0, i32 0) ["gc-live"(ptr addrspace(1) %p)]
  %q = call ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token %t, i32 0, i32 0)
  ret ptr addrspace(1) %q
}
