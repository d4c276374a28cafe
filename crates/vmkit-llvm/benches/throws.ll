; Frames to throw through, by the virtual machine's tables and by the system's unwinder, and to walk.
@sink = global i64 0
declare i32 @vm_personality(...)
declare i32 @system_personality(...)
declare void @vm_throw()
declare void @system_throw()
declare void @vm_walk()

define void @pass(i64 %depth, ptr %last) noinline uwtable {
  %done = icmp eq i64 %depth, 0
  br i1 %done, label %bottom, label %on
bottom:
  call void %last()
  br label %end
on:
  %less = sub i64 %depth, 1
  call void @pass(i64 %less, ptr %last)
  br label %end
end:
  ; Not a tail call, hence.
  store volatile i64 %depth, ptr @sink
  ret void
}

define i64 @throw_by_vm(i64 %depth) uwtable personality ptr @vm_personality {
  invoke void @pass(i64 %depth, ptr @vm_throw) to label %none unwind label %pad
none:
  ret i64 0
pad:
  %landing = landingpad { ptr, i32 } catch ptr null
  ret i64 1
}

define i64 @throw_by_system(i64 %depth) uwtable personality ptr @system_personality {
  invoke void @pass(i64 %depth, ptr @system_throw) to label %none unwind label %pad
none:
  ret i64 0
pad:
  %landing = landingpad { ptr, i32 } catch ptr null
  ret i64 1
}

define i64 @walk(i64 %depth) uwtable {
  call void @pass(i64 %depth, ptr @vm_walk)
  ret i64 1
}

define i64 @spin(i64 %flag) gc "statepoint-example" {
  %at = inttoptr i64 %flag to ptr
  br label %again
again:
  %value = load volatile i64, ptr %at
  %done = icmp ne i64 %value, 0
  br i1 %done, label %end, label %again
end:
  ret i64 1
}
