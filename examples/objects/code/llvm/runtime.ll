; The runtime module: what every function of the language may call, and has inlined.
;
; A thread is (see heap.rs)
;   0 where the next object goes | 8 where its chunk ends | 16 the exception
;   24 the object whose method it is to run

declare ptr addrspace(1) @vm_allocate_slow(ptr, i64)
declare i32 @vm_personality(...)

; A new object, all of whose fields are 0 or null: memory is cleared before a thread gets it. The
; thread's words are volatile: at a poll, which is put into the code when all else is done, the collector
; changes them.
define ptr addrspace(1) @vm_allocate(ptr %thread, i64 %size, i64 %table) inlinehint gc "statepoint-example" {
  %object = load volatile ptr addrspace(1), ptr %thread
  %limit.at = getelementptr i8, ptr %thread, i64 8
  %limit = load volatile i64, ptr %limit.at
  %next = getelementptr i8, ptr addrspace(1) %object, i64 %size
  %end = ptrtoint ptr addrspace(1) %next to i64
  %fits = icmp ule i64 %end, %limit
  br i1 %fits, label %fast, label %slow, !prof !0
fast:
  store volatile ptr addrspace(1) %next, ptr %thread
  store i64 %table, ptr addrspace(1) %object
  ret ptr addrspace(1) %object
slow:
  %fresh = call ptr addrspace(1) @vm_allocate_slow(ptr %thread, i64 %size)
  store i64 %table, ptr addrspace(1) %fresh
  ret ptr addrspace(1) %fresh
}

; How a thread comes into the language: runs a method of the thread's object or a function, which takes
; nothing, and catches whatever it throws.
define i64 @vm_enter(ptr %function, ptr %thread) gc "statepoint-example" personality ptr @vm_personality {
  %receiver.at = getelementptr i8, ptr %thread, i64 24
  %receiver = load volatile ptr addrspace(1), ptr %receiver.at
  %result = invoke i64 %function(ptr addrspace(1) %receiver, ptr %thread) to label %end unwind label %pad
end:
  %exception.at = getelementptr i8, ptr %thread, i64 16
  store volatile ptr addrspace(1) null, ptr %exception.at
  ret i64 %result
pad:
  ; Of a type from which nothing can be taken: that is how LLVM places statepoints at an invoke.
  %landing = landingpad token catch ptr null
  ret i64 0
}

!0 = !{!"branch_weights", i32 1000, i32 1}
