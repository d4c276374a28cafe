target triple = "x86_64-pc-linux-gnu"

@third = external global i32
define void @write.third() noinline {
  store i32 99, ptr @third
  ret void
}
