target triple = "x86_64-pc-linux-gnu"

define i32 @from_ir() {
  ret i32 3
}
