//! Large functions in which many blocks lead to one, most of them with the same values.

#![expect(unsafe_code, reason = "runs what was compiled")]

use std::fmt::Write;

use vmkit::Session;
use vmkit_llvm::{Llvm, Options};

const CASES: i64 = 600;
/// Values that all cases but a few give, and one that each gives its own of.
const ALIKE: i64 = 12;
const FEW: i64 = 7;

/// What the case `case` gives for the value `number`.
fn value(case: i64, number: i64) -> i64 {
    if case % 100 == FEW { case + number } else { 1000 + number }
}

fn own(case: i64) -> i64 {
    (0..4).fold(case, |sum, step| (sum * 3) ^ step)
}

fn result(case: i64) -> i64 {
    (0..ALIKE).fold(own(case), |sum, number| sum * 5 + value(case, number))
}

/// A function of `result`'s meaning, for cases that are there.
fn module() -> String {
    let mut text = String::from("define i64 @f(i64 %x) {\n switch i64 %x, label %none [\n");
    let mut blocks = String::from("none:\n ret i64 -1\n");
    let mut own = String::new();
    let mut phis = vec![String::new(); ALIKE as usize];
    for case in 0..CASES {
        writeln!(text, "  i64 {case}, label %c{case}").unwrap();
        writeln!(blocks, "c{case}:\n %c{case}.0 = add i64 %x, 0").unwrap();
        for step in 0..4 {
            let next = step + 1;
            writeln!(blocks, " %m{case}.{step} = mul i64 %c{case}.{step}, 3").unwrap();
            writeln!(blocks, " %c{case}.{next} = xor i64 %m{case}.{step}, {step}").unwrap();
        }
        writeln!(blocks, " br label %join").unwrap();
        write!(own, "[ %c{case}.4, %c{case} ],").unwrap();
        for (number, phi) in (0..).zip(&mut phis) {
            write!(phi, "[ {}, %c{case} ],", value(case, number)).unwrap();
        }
    }
    let phi =
        |name: &str, values: &str| format!(" {name} = phi i64 {}\n", &values[..values.len() - 1]);
    text += &format!(" ]\n{blocks}join:\n{}", phi("%s0", &own));
    for (number, values) in phis.iter().enumerate() {
        text += &phi(&format!("%v{number}"), values);
    }
    for number in 0..ALIKE {
        let next = number + 1;
        writeln!(text, " %p{number} = mul i64 %s{number}, 5").unwrap();
        writeln!(text, " %s{next} = add i64 %p{number}, %v{number}").unwrap();
    }
    text + &format!(" ret i64 %s{ALIKE}\n}}\n")
}

#[test]
fn values_that_are_alike_are_copied_once() {
    let session = Session::builder().build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    llvm.add("m", module().into_bytes()).unwrap();
    // SAFETY: the function is of this type.
    let call =
        |x| unsafe { llvm.function::<unsafe extern "C" fn(i64) -> i64>("f").unwrap().call(x) };
    for case in 0..CASES {
        assert_eq!(call(case), result(case), "{case}");
    }
    assert_eq!(call(CASES), -1);
    // A copy takes five bytes or more.
    let bytes = session.stats().code_bytes;
    assert!(bytes < (CASES * ALIKE * 5 + CASES * 40).cast_unsigned() / 2, "{bytes} bytes");
}
