; about: a table of another function's block addresses, read before that function is compiled
; > not null, distinct
; > 10 20 30
; > same after compilation
target triple = "x86_64-pc-linux-gnu"

@table = global [3 x ptr] [ptr blockaddress(@run, %ten), ptr blockaddress(@run, %twenty), ptr blockaddress(@run, %thirty)]
@saved = global ptr null
@distinct = private constant [20 x i8] c"not null, distinct\0A\00"
@values = private constant [10 x i8] c"%d %d %d\0A\00"
@same = private constant [24 x i8] c"same after compilation\0A\00"
declare i32 @printf(ptr, ...)

define i32 @run(ptr %block) noinline {
  indirectbr ptr %block, [label %ten, label %twenty, label %thirty]
ten:
  ret i32 10
twenty:
  ret i32 20
thirty:
  ret i32 30
}

; Not in @run: it takes the block from the table.
define ptr @block.of.other() noinline {
  %p = getelementptr ptr, ptr @table, i64 1
  %block = load ptr, ptr %p
  ret ptr %block
}

define ptr @entry(i64 %i) noinline {
  %p = getelementptr ptr, ptr @table, i64 %i
  %block = load volatile ptr, ptr %p
  ret ptr %block
}

define i32 @main() {
  %a = call ptr @entry(i64 0)
  %b = call ptr @entry(i64 1)
  %other = call ptr @block.of.other()
  store volatile ptr %other, ptr @saved
  %null = icmp eq ptr %a, null
  %equal = icmp eq ptr %a, %b
  %differs = icmp ne ptr %other, %b
  %any = or i1 %null, %equal
  %bad = or i1 %any, %differs
  br i1 %bad, label %end, label %go
go:
  call i32 (ptr, ...) @printf(ptr @distinct)
  %c = call ptr @entry(i64 2)
  %x = call i32 @run(ptr %a)
  %y = call i32 @run(ptr %other)
  %z = call i32 @run(ptr %c)
  call i32 (ptr, ...) @printf(ptr @values, i32 %x, i32 %y, i32 %z)
  %before = load volatile ptr, ptr @saved
  %after = call ptr @block.of.other()
  %kept = icmp eq ptr %before, %after
  br i1 %kept, label %last, label %end
last:
  call i32 (ptr, ...) @printf(ptr @same)
  br label %end
end:
  ret i32 0
}
