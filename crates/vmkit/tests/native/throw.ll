; Exceptions that the virtual machine throws: which landing pad they go to, and what is kept on the way.
@one = constant i64 1
@two = constant i64 2

declare void @vm_throw(i64)
declare i32 @vm_personality(...)
declare void @nothing()

; Throws from so many frames further in; each uses registers that calls preserve.
define void @deep(i64 %depth, i64 %exception) noinline uwtable {
  %is_last = icmp eq i64 %depth, 0
  br i1 %is_last, label %last, label %more
last:
  call void @vm_throw(i64 %exception)
  ret void
more:
  %less = sub i64 %depth, 1
  %a = mul i64 %depth, 3
  %b = mul i64 %exception, 5
  %x = sitofp i64 %a to double
  call void @deep(i64 %less, i64 %exception)
  %c = add i64 %a, %b
  %y = fadd double %x, 1.0
  %d = fptosi double %y to i64
  %e = add i64 %c, %d
  call void @nothing()
  call void asm sideeffect "", "r"(i64 %e)
  ret void
}

; 100 for the first type, 200 for the second, 300 and the number for others; with numbers and
; floating-point numbers that are kept in registers over the call.
define i64 @catch(i64 %depth, i64 %exception, i64 %p, i64 %q) uwtable personality ptr @vm_personality {
  %k = mul i64 %p, %q
  %x = sitofp i64 %p to double
  %y = sitofp i64 %q to double
  invoke void @deep(i64 %depth, i64 %exception) to label %none unwind label %pad
none:
  ret i64 0
pad:
  %caught = landingpad { i64, i32 } catch ptr @one catch ptr @two catch ptr null
  %number = extractvalue { i64, i32 } %caught, 0
  %selector = extractvalue { i64, i32 } %caught, 1
  %id_one = call i32 @llvm.eh.typeid.for(ptr @one)
  %id_two = call i32 @llvm.eh.typeid.for(ptr @two)
  %is_one = icmp eq i32 %selector, %id_one
  %is_two = icmp eq i32 %selector, %id_two
  %other = add i64 %number, 300
  %if_two = select i1 %is_two, i64 200, i64 %other
  %result = select i1 %is_one, i64 100, i64 %if_two
  %again = mul i64 %p, %q
  %kept = icmp eq i64 %k, %again
  %product = fmul double %x, %y
  %whole = fptosi double %product to i64
  %kept_too = icmp eq i64 %whole, %k
  %all = and i1 %kept, %kept_too
  %final = select i1 %all, i64 %result, i64 -1
  ret i64 %final
}

declare i32 @llvm.eh.typeid.for(ptr)
