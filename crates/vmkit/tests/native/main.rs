//! Code that compilers made for what runs here, in objects: linked, called, and unwound.
#![expect(unsafe_code, reason = "runs what was linked")]

mod throw;
#[path = "../support/thrower.rs"]
mod thrower;

use std::mem::transmute;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::Command;
use std::thread;

use vmkit::{Builder, Session};

/// Compiles a file of this folder for what runs here.
fn compile(source: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/native").join(source);
    // By process and thread: tests of one file run at the same time.
    let object = format!("{source}-{}-{:?}.o", std::process::id(), thread::current().id());
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(object);
    let mut clang = Command::new("clang-22");
    clang.arg(format!("--target={}-linux-gnu", std::env::consts::ARCH));
    clang.args(["-c", "-O1", "-fPIC", "-fexceptions", "-Wno-override-module", "-o"]);
    assert!(clang.arg(&object).arg(path).status().expect("clang-22 must be installed").success());
    let bytes = std::fs::read(&object).expect("what clang wrote");
    std::fs::remove_file(object).expect("it is ours");
    bytes
}

fn start(builder: Builder) -> Session {
    let session = builder.build().unwrap();
    for source in ["caller.c", "callee.c"] {
        session.add_object(source, &compile(source)).unwrap();
    }
    session
}

fn address(session: &Session, name: &str) -> u64 {
    session.address(session.symbol(name)).unwrap().0
}

fn check(session: &Session, name: &str, arguments: [i64; 2], expected: i64) {
    // SAFETY: what is called here takes up to two numbers and gives one.
    let function: extern "C" fn(i64, i64) -> i64 = unsafe { transmute(address(session, name)) };
    let [first, second] = arguments;
    assert_eq!(function(first, second), expected, "{name}({first}, {second})");
}

fn check_all(session: &Session) {
    check(session, "lengths", [0, 0], 17);
    check(session, "sorted", [0, 0], 1);
    check(session, "sorted", [4, 0], 9);
    let expected = [17, 11, 41, 33, 28, 1, 66, i64::from(b'o'), -1];
    for (n, expected) in (0..).zip(expected) {
        check(session, "choose", [n, 0], expected);
    }
    check(session, "structures", [100, 0], 100 + 1050);
    check(session, "even", [1000, 0], 1);
    check(session, "even", [777, 0], 0);
    // SAFETY: as caller.c defines them.
    unsafe {
        let text: extern "C" fn(f64, i64) -> i64 = transmute(address(session, "text"));
        assert_eq!(text(2.5, -7), 14_000 + i64::from(b'2'));
        let all: extern "C" fn() -> f64 = transmute(address(session, "all_registers"));
        assert_eq!(
            all().to_bits(),
            (285.0 + 0.5 + 0.5 + 0.375 + 4.0 + 10.0 + 18.0 + 28.0 + 40.0 + 54.0f64).to_bits()
        );
    }
}

#[test]
fn objects_call_each_other_and_libraries() {
    check_all(&start(Session::builder()));
}

/// A first call hands on vectors of whatever length the processor has.
#[cfg(target_arch = "aarch64")]
#[test]
fn scalable_vectors_are_arguments() {
    if std::arch::is_aarch64_feature_detected!("sve") {
        check(&start(Session::builder()), "scalable", [0, 0], 0);
    }
}

#[test]
fn what_is_out_of_reach_is_reached_all_the_same() {
    check_all(&start(Session::builder().reach(64)));
}

#[test]
fn each_thread_has_variables_of_its_own() {
    let session = start(Session::builder());
    for _ in 0..2 {
        thread::scope(|scope| {
            scope.spawn(|| {
                check(&session, "thread_local_sum", [1, 2], 6009 + 8);
                check(&session, "thread_local_sum", [1, 2], 7011 + 8);
            });
        });
    }
}

extern "C-unwind" fn fails(n: i64) -> i64 {
    panic!("{n}")
}

#[test]
fn panics_go_through_linked_code() {
    // The records of one that is gone are not looked at.
    let gone = start(Session::builder());
    check(&gone, "lengths", [0, 0], 17);
    drop(gone);
    let session = start(Session::builder());
    // SAFETY: as caller.c defines it.
    let through: extern "C-unwind" fn(extern "C-unwind" fn(i64) -> i64, i64) -> i64 =
        unsafe { transmute(address(&session, "through")) };
    let payload = catch_unwind(|| through(fails, 41)).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("41"));
}
