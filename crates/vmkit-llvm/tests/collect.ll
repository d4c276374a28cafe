; Code of a language with a moving collector. An object is a header and two words: a reference to
; another object, a number.
declare void @vm_collect()
declare i64 @vm_call_back(ptr addrspace(1))

; The sum of the numbers in a list, whose objects move at every step.
define i64 @sum(ptr addrspace(1) %list) gc "statepoint-example" {
  %none = icmp eq ptr addrspace(1) %list, null
  br i1 %none, label %end, label %some
some:
  call void @vm_collect()
  %next.at = getelementptr i64, ptr addrspace(1) %list, i64 1
  %next = load ptr addrspace(1), ptr addrspace(1) %next.at
  %rest = call i64 @sum(ptr addrspace(1) %next)
  %number.at = getelementptr i64, ptr addrspace(1) %list, i64 2
  %number = load i64, ptr addrspace(1) %number.at
  %total = add i64 %number, %rest
  ret i64 %total
end:
  ret i64 0
}

; A reference into an object that is live while the object moves, in a variable at first.
define i64 @inside(ptr addrspace(1) %object) gc "statepoint-example" {
  %variable = alloca ptr addrspace(1)
  %number.at = getelementptr i64, ptr addrspace(1) %object, i64 2
  store ptr addrspace(1) %number.at, ptr %variable
  call void @vm_collect()
  %now = load ptr addrspace(1), ptr %variable
  %number = load i64, ptr addrspace(1) %now
  ret i64 %number
}

; Native code in between, which calls back.
define i64 @out_and_in(ptr addrspace(1) %list) gc "statepoint-example" {
  %rest = call i64 @vm_call_back(ptr addrspace(1) %list)
  %number.at = getelementptr i64, ptr addrspace(1) %list, i64 2
  %number = load i64, ptr addrspace(1) %number.at
  %total = add i64 %number, %rest
  ret i64 %total
}

; Without end but for the polls.
define void @spin(ptr addrspace(1) %object) gc "statepoint-example" {
  br label %again
again:
  %flag.at = getelementptr i64, ptr addrspace(1) %object, i64 2
  %flag = load volatile i64, ptr addrspace(1) %flag.at
  %done = icmp ne i64 %flag, 0
  br i1 %done, label %end, label %again
end:
  ret void
}
