; Code of a language whose exceptions the virtual machine throws itself. An exception is a number;
; it is of a type if the type's value is that number.
@one = constant i64 1
@two = constant i64 2
@cleanups = global i64 0
declare i32 @vm_personality(...)
declare void @vm_throw(i64)
declare i32 @llvm.eh.typeid.for(ptr)

; Throws `exception` below `depth` frames that just let it pass.
define void @pass(i64 %depth, i64 %exception) uwtable {
  %last = icmp eq i64 %depth, 0
  br i1 %last, label %throw, label %on
throw:
  call void @vm_throw(i64 %exception)
  unreachable
on:
  %less = sub i64 %depth, 1
  call void @pass(i64 %less, i64 %exception)
  ret void
}

; 100 if it is of type one, 200 if it is of type two, 300 + the exception if it is any other; what is
; in registers and variables must be there still.
define i64 @catch(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
  %variable = alloca i64
  store volatile i64 %a, ptr %variable
  %sum = add i64 %a, %b
  invoke void @pass(i64 %depth, i64 %exception) to label %none unwind label %pad
none:
  unreachable
pad:
  %landing = landingpad { ptr, i32 } catch ptr @one catch ptr @two catch ptr null
  %thrown = extractvalue { ptr, i32 } %landing, 0
  %selector = extractvalue { ptr, i32 } %landing, 1
  %number = ptrtoint ptr %thrown to i64
  %first = call i32 @llvm.eh.typeid.for(ptr @one)
  %is.first = icmp eq i32 %selector, %first
  br i1 %is.first, label %done, label %not.first
not.first:
  %second = call i32 @llvm.eh.typeid.for(ptr @two)
  %is.second = icmp eq i32 %selector, %second
  %other = add i64 300, %number
  %value = select i1 %is.second, i64 200, i64 %other
  br label %done
done:
  %result = phi i64 [ 100, %pad ], [ %value, %not.first ]
  %kept = load volatile i64, ptr %variable
  %twice = add i64 %kept, %b
  %difference = sub i64 %sum, %twice
  %checked = add i64 %result, %difference
  ret i64 %checked
}

; Cleans up, and throws on.
define void @clean(i64 %depth, i64 %exception) uwtable personality ptr @vm_personality {
  invoke void @pass(i64 %depth, i64 %exception) to label %done unwind label %pad
done:
  ret void
pad:
  %landing = landingpad { ptr, i32 } cleanup
  %thrown = extractvalue { ptr, i32 } %landing, 0
  %count = load i64, ptr @cleanups
  %more = add i64 %count, 1
  store i64 %more, ptr @cleanups
  %number = ptrtoint ptr %thrown to i64
  call void @vm_throw(i64 %number)
  unreachable
}

; Catches type two only, behind a cleanup; gives the number of cleanups, the exception was seen.
define i64 @catch_two(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
  invoke void @clean(i64 %depth, i64 %exception) to label %none unwind label %pad
none:
  ret i64 -1
pad:
  %landing = landingpad { ptr, i32 } catch ptr @two
  %count = load i64, ptr @cleanups
  ret i64 %count
}

; Nothing but type one may pass: 7 for whatever else tries.
define i64 @filter(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
  invoke void @pass(i64 %depth, i64 %exception) to label %none unwind label %pad
none:
  ret i64 -1
pad:
  %landing = landingpad { ptr, i32 } filter [1 x ptr] [ptr @one]
  ret i64 7
}

; Nothing may pass: the call has no place in the table.
define i64 @forbid(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
  invoke void @nothing() to label %next unwind label %pad
next:
  call void @calm(i64 %depth, i64 %exception) nounwind
  invoke void @nothing() to label %end unwind label %other
other:
  %cleanup = landingpad { ptr, i32 } cleanup
  ret i64 -3
end:
  ret i64 -1
pad:
  %landing = landingpad { ptr, i32 } catch ptr null
  ret i64 -2
}
declare void @nothing()

define void @calm(i64 %depth, i64 %exception) noinline nounwind uwtable {
  call void @pass(i64 %depth, i64 %exception)
  ret void
}
