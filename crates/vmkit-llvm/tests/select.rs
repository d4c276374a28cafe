//! Functions that are not plain among functions that are, without optimization.

#![expect(unsafe_code, reason = "runs what was compiled")]

use vmkit::Session;
use vmkit_llvm::{Llvm, Options};

/// Each function takes another pass of LLVM's than plain ones need.
const MODULE: &str = r#"
@entered = global i32 0
define void @__cyg_profile_func_enter_bare() {
  %n = load i32, ptr @entered
  %m = add i32 %n, 1
  store i32 %m, ptr @entered
  ret void
}
define i32 @plain(i32 %x) {
  %y = add i32 %x, 1
  ret i32 %y
}
define i32 @instrumented(i32 %x) "instrument-function-entry-inlined"="__cyg_profile_func_enter_bare" {
  %y = call i32 @plain(i32 %x)
  %n = load i32, ptr @entered
  %z = mul i32 %n, 100
  %s = add i32 %y, %z
  ret i32 %s
}
define i32 @atomic(i32 %x) {
  %p = alloca i32
  store i32 %x, ptr %p
  %old = atomicrmw fmax ptr %p, float 1.0 seq_cst
  %nand = atomicrmw nand ptr %p, i32 %x seq_cst
  %now = load atomic i32, ptr %p acquire, align 4
  %r = xor i32 %now, %x
  ret i32 %r
}
define i32 @wide(i32 %x) {
  %a = sext i32 %x to i256
  %b = shl i256 %a, 130
  %c = sdiv i256 %b, 7
  %d = ashr i256 %c, 130
  %e = trunc i256 %d to i32
  ret i32 %e
}
declare i32 @llvm.vector.reduce.add.v4i32(<4 x i32>)
define i32 @vectors(i32 %x) {
  %a = insertelement <4 x i32> <i32 1, i32 2, i32 3, i32 4>, i32 %x, i32 0
  %s = call i32 @llvm.vector.reduce.add.v4i32(<4 x i32> %a)
  ret i32 %s
}
"#;

#[test]
fn each_function_gets_the_passes_that_it_needs() {
    let session = Session::builder().build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    llvm.add("m", MODULE.as_bytes().to_vec()).unwrap();
    let call = |name, x| {
        // SAFETY: the functions are of this type.
        unsafe { llvm.function::<unsafe extern "C" fn(i32) -> i32>(name).unwrap().call(x) }
    };
    assert_eq!(call("plain", 1), 2);
    assert_eq!(call("instrumented", 1), 102);
    assert_eq!(call("instrumented", 1), 202);
    assert_eq!(call("wide", 70), 10);
    assert_eq!(call("vectors", 10), 19);
    assert_eq!(call("plain", 2), 3);
    // `1.0f` is what is larger; then `!(1.0f & x)`, and that against `x`.
    assert_eq!(call("atomic", 0), -1);
}
