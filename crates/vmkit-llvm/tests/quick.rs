//! What the quick selector and the quick register allocator are spared.

#![expect(unsafe_code, reason = "runs what was compiled")]

use std::fmt::Write;

use vmkit::Session;
use vmkit_llvm::{Llvm, Options};

const BLOCKS: u64 = 100;

/// What `f` of the module gives, which takes a pointer, and the bytes of its code.
fn run(module: String, data: &[i64]) -> (i64, u64) {
    let session = Session::builder().build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    llvm.add("m", module.into_bytes()).unwrap();
    let function = llvm.function::<unsafe extern "C" fn(*const i64) -> i64>("f").unwrap();
    // SAFETY: the function is of this type, and reads no further than the data goes.
    let result = unsafe { function.call(data.as_ptr()) };
    (result, session.stats().code_bytes)
}

/// The address of a field, and of a field of it, is used in many blocks.
#[test]
fn addresses_are_computed_where_they_are_used() {
    let mut text = String::from(
        "define i64 @f(ptr %p) {
         %q = getelementptr i8, ptr %p, i64 8
         %r = getelementptr i8, ptr %q, i64 16
         %first = load i64, ptr %r
         br label %b0\n",
    );
    for block in 0..BLOCKS {
        let next = block + 1;
        let before = if block == 0 { "%first".into() } else { format!("%s{}", block - 1) };
        writeln!(
            text,
            "b{block}: %x{block} = load i64, ptr %q
             %y{block} = load i64, ptr %r
             %d{block} = mul i64 %x{block}, %y{block}
             %s{block} = add i64 {before}, %d{block}
             %c{block} = icmp eq i64 %s{block}, -1
             br i1 %c{block}, label %end, label %b{next}"
        )
        .unwrap();
    }
    let last = BLOCKS - 1;
    write!(text, "b{BLOCKS}: ret i64 %s{last}\nend: ret i64 0\n}}\n").unwrap();
    let (result, bytes) = run(text, &[0, 2, 0, 3]);
    assert_eq!(result, 3 + 6 * BLOCKS.cast_signed());
    // With both addresses on the stack it is more than 40 a block.
    assert!(bytes < BLOCKS * 39, "{bytes} bytes");
}

/// Each block but the first chooses between two values, and the next one wants what was chosen.
#[test]
fn what_a_phi_becomes_is_copied_once() {
    let mut text =
        String::from("define i64 @f(ptr %p) {\n %v0 = load i64, ptr %p\n br label %b0\n");
    for block in 0..BLOCKS {
        let next = block + 1;
        writeln!(
            text,
            "b{block}: %o{block} = and i64 %v{block}, 1
             %c{block} = icmp eq i64 %o{block}, 0
             br i1 %c{block}, label %even{block}, label %odd{block}
             even{block}: %h{block} = lshr i64 %v{block}, 1
             br label %m{block}
             odd{block}: %t{block} = mul i64 %v{block}, 3
             %u{block} = add i64 %t{block}, 1
             br label %m{block}
             m{block}: %v{next} = phi i64 [ %h{block}, %even{block} ], [ %u{block}, %odd{block} ]
             br label %b{next}"
        )
        .unwrap();
    }
    write!(text, "b{BLOCKS}: ret i64 %v{BLOCKS}\n}}\n").unwrap();
    let (result, bytes) = run(text, &[27]);
    let expected = (0..BLOCKS).fold(27, |v: i64, _| if v % 2 == 0 { v / 2 } else { v * 3 + 1 });
    assert_eq!(result, expected);
    assert!(bytes < BLOCKS * 60, "{bytes} bytes");
}
