; What compilers tell of code: labels, landing pads, stack maps, patch points, statepoints.

@places = global [2 x ptr] [ptr blockaddress(@goes, %one), ptr blockaddress(@goes, %two)]
@number = global i64 0

declare void @may_throw()
declare void @may_collect()
declare i32 @personality(...)
declare void @llvm.experimental.stackmap(i64, i32, ...)
declare void @llvm.experimental.patchpoint.void(i64, i32, ptr, i32, ...)
declare token @llvm.experimental.gc.statepoint.p0(i64, i32, ptr, i32, i32, ...)
declare ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token, i32, i32)

define i64 @goes(i64 %which) {
  %place = getelementptr ptr, ptr @places, i64 %which
  %to = load ptr, ptr %place
  indirectbr ptr %to, [label %one, label %two]
one:
  ret i64 1
two:
  ret i64 2
}

define i64 @catches() personality ptr @personality {
  invoke void @may_throw() to label %done unwind label %caught
done:
  ret i64 0
caught:
  %pad = landingpad { ptr, i32 } catch ptr null
  ret i64 1
}

define i64 @mapped(i64 %x) {
  call void (i64, i32, ...) @llvm.experimental.stackmap(i64 11, i32 0, i64 %x, i64 5)
  call void (i64, i32, ptr, i32, ...) @llvm.experimental.patchpoint.void(i64 12, i32 5, ptr null, i32 0)
  %y = add i64 %x, 5
  ret i64 %y
}

define preserve_allcc void @counts() {
  %n = load i64, ptr @number
  %m = add i64 %n, 1
  store i64 %m, ptr @number
  ret void
}

define i64 @counted() {
  %n = load i64, ptr @number
  ret i64 %n
}

define ptr addrspace(1) @collects(ptr addrspace(1) %object) gc "statepoint-example" {
  %token = call token (i64, i32, ptr, i32, i32, ...) @llvm.experimental.gc.statepoint.p0(
    i64 7, i32 0, ptr elementtype(void ()) @may_collect, i32 0, i32 0, i32 0, i32 0)
    [ "deopt" (i32 42), "gc-live" (ptr addrspace(1) %object) ]
  %moved = call ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token %token, i32 0, i32 0)
  ret ptr addrspace(1) %moved
}
