target triple = "x86_64-pc-linux-gnu"

@data = global i32 3
define linkonce_odr i32 @both() noinline { ret i32 1 }
define i32 @over() noinline { ret i32 2 }
define i32 @other() noinline {
  %both = call i32 @both()
  %difference = sub i32 %both, 1
  ret i32 %difference
}
