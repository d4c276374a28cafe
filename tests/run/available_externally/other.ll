target triple = "x86_64-pc-linux-gnu"

@data = global i32 20
define i32 @hint() noinline { ret i32 2 }
define ptr @address() noinline { ret ptr @hint }
