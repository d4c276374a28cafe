; Loops that do nothing but call, in a module of their own.

declare i64 @callee(i64)
declare i64 @interface(ptr, i64)

define i64 @calls(i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %y = call i64 @callee(i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
}

define i64 @calls_pointer(i64 %n, ptr %callee) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %y = call i64 %callee(i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
}

; The receivers are 2^k objects in turn; the first word of each is its class.
define i64 @calls_virtual(i64 %n, ptr %objects, i64 %mask) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %which = and i64 %i, %mask
  %place = getelementptr ptr, ptr %objects, i64 %which
  %object = load ptr, ptr %place
  %table = load ptr, ptr %object
  %entry_place = getelementptr ptr, ptr %table, i64 3
  %method = load ptr, ptr %entry_place
  %y = call i64 %method(ptr %object, i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
}

define i64 @calls_interface(i64 %n, ptr %objects, i64 %mask) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %which = and i64 %i, %mask
  %place = getelementptr ptr, ptr %objects, i64 %which
  %object = load ptr, ptr %place
  %y = call i64 @interface(ptr %object, i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
}
