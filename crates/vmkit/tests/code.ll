; What a virtual machine is told of: calls, call sites, a statepoint, a patch point.
@type_a = constant i8 0
@type_b = constant i8 0
@variable = global i64 0
declare i32 @personality(...)
declare void @may_throw()
declare void @may_collect()
declare void @llvm.experimental.patchpoint.void(i64, i32, ptr, i32, ...)
declare token @llvm.experimental.gc.statepoint.p0(i64, i32, ptr, i32, i32, ...)
declare ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token, i32, i32)

define i32 @catches() uwtable personality ptr @personality {
  invoke void @may_throw() to label %next unwind label %first
next:
  invoke void @may_throw() to label %done unwind label %second
done:
  call void @may_throw()
  ret i32 0
first:
  %a = landingpad { ptr, i32 } catch ptr @type_a filter [1 x ptr] [ptr @type_b] catch ptr null
  %b = extractvalue { ptr, i32 } %a, 1
  ret i32 %b
second:
  %c = landingpad { ptr, i32 } cleanup
  %d = extractvalue { ptr, i32 } %c, 1
  ret i32 %d
}

define ptr addrspace(1) @collects(ptr addrspace(1) %p) uwtable gc "statepoint-example" {
  %t = call token (i64, i32, ptr, i32, i32, ...) @llvm.experimental.gc.statepoint.p0(i64 7, i32 0, ptr elementtype(void ()) @may_collect, i32 0, i32 0, i32 0, i32 0) ["gc-live"(ptr addrspace(1) %p), "deopt"(i32 42)]
  %q = call ptr addrspace(1) @llvm.experimental.gc.relocate.p1(token %t, i32 0, i32 0)
  ret ptr addrspace(1) %q
}

define void @patched() uwtable {
  call void (i64, i32, ptr, i32, ...) @llvm.experimental.patchpoint.void(i64 99, i32 8, ptr null, i32 0)
  store i64 1, ptr @variable
  ret void
}
