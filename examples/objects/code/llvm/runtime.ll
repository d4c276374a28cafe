; The runtime module: what every function of the language may call, and has inlined.
;
; A thread is (see heap.rs)
;   0 where the next object goes | 8 where its chunk ends | 16 the exception | 24 is it uncaught?
;   32 the object whose method it is to run
; and the dispatch table that an object's first word points to (see vm.rs)
;   0 bytes of an object | 8 its references | 16 the parent's table | 24 number of the class | 32 methods

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

; Is an object of a class, by the class's number?
define i64 @vm_is_a(ptr addrspace(1) %object, i64 %class) "gc-leaf-function" {
  %own = load ptr, ptr addrspace(1) %object
  br label %look
look:
  %table = phi ptr [ %own, %0 ], [ %parent, %next ]
  %number.at = getelementptr i8, ptr %table, i64 24
  %number = load i64, ptr %number.at
  %is = icmp eq i64 %number, %class
  br i1 %is, label %end, label %next
next:
  %parent.at = getelementptr i8, ptr %table, i64 16
  %parent = load ptr, ptr %parent.at
  %is.last = icmp eq ptr %parent, null
  br i1 %is.last, label %end, label %look
end:
  %result = zext i1 %is to i64
  ret i64 %result
}

; Division where the divisor is not 0; the least number by -1 is itself.
define i64 @vm_divide(i64 %a, i64 %b) alwaysinline "gc-leaf-function" {
  %is.minus = icmp eq i64 %b, -1
  %divisor = select i1 %is.minus, i64 1, i64 %b
  %quotient = sdiv i64 %a, %divisor
  %negated = sub i64 0, %a
  %result = select i1 %is.minus, i64 %negated, i64 %quotient
  ret i64 %result
}

define i64 @vm_remainder(i64 %a, i64 %b) alwaysinline "gc-leaf-function" {
  %is.minus = icmp eq i64 %b, -1
  %divisor = select i1 %is.minus, i64 1, i64 %b
  %result = srem i64 %a, %divisor
  ret i64 %result
}

; How a thread comes into the language: runs a method of the thread's object or a function, which takes
; nothing, and catches whatever it throws.
define i64 @vm_enter(ptr %function, ptr %thread) gc "statepoint-example" personality ptr @vm_personality {
  %receiver.at = getelementptr i8, ptr %thread, i64 32
  %receiver = load volatile ptr addrspace(1), ptr %receiver.at
  %result = invoke i64 %function(ptr addrspace(1) %receiver, ptr %thread) to label %end unwind label %pad
end:
  ret i64 %result
pad:
  ; Of a type from which nothing can be taken: that is how LLVM places statepoints at an invoke.
  %landing = landingpad token catch ptr null
  %uncaught.at = getelementptr i8, ptr %thread, i64 24
  store i64 1, ptr %uncaught.at
  ret i64 0
}

!0 = !{!"branch_weights", i32 1000, i32 1}
