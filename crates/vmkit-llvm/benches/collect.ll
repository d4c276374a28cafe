; Code of a language with a moving collector. An object is a header, two references to others, and a
; number.
declare void @vm_collect()

; Keeps a list while `hold` goes through it, for the arguments of a call are live in its statepoint.
define i64 @hold_all(ptr addrspace(1) %list) gc "statepoint-example" {
  %total = call i64 @hold(ptr addrspace(1) %list)
  ret i64 %total
}

; Goes down a list of trees, a frame for each; every frame keeps its tree and the rest of the list while
; the innermost one lets the collector run. Gives the sum of all numbers in the trees.
define i64 @hold(ptr addrspace(1) %list) noinline gc "statepoint-example" {
  %none = icmp eq ptr addrspace(1) %list, null
  br i1 %none, label %end, label %some
some:
  %tree.at = getelementptr i64, ptr addrspace(1) %list, i64 1
  %tree = load ptr addrspace(1), ptr addrspace(1) %tree.at
  %next.at = getelementptr i64, ptr addrspace(1) %list, i64 2
  %next = load ptr addrspace(1), ptr addrspace(1) %next.at
  %rest = call i64 @hold(ptr addrspace(1) %next)
  %own = call i64 @sum(ptr addrspace(1) %tree)
  %total = add i64 %own, %rest
  ret i64 %total
end:
  call void @vm_collect()
  ret i64 0
}

; The sum of the numbers in a tree.
define i64 @sum(ptr addrspace(1) %tree) noinline gc "statepoint-example" {
  %none = icmp eq ptr addrspace(1) %tree, null
  br i1 %none, label %end, label %some
some:
  %left.at = getelementptr i64, ptr addrspace(1) %tree, i64 1
  %left = load ptr addrspace(1), ptr addrspace(1) %left.at
  %left.sum = call i64 @sum(ptr addrspace(1) %left)
  %right.at = getelementptr i64, ptr addrspace(1) %tree, i64 2
  %right = load ptr addrspace(1), ptr addrspace(1) %right.at
  %right.sum = call i64 @sum(ptr addrspace(1) %right)
  %number.at = getelementptr i64, ptr addrspace(1) %tree, i64 3
  %number = load i64, ptr addrspace(1) %number.at
  %both = add i64 %left.sum, %right.sum
  %total = add i64 %both, %number
  ret i64 %total
end:
  ret i64 0
}
