//! Redefinition while threads run, and what becomes of old code.
#![expect(unsafe_code, reason = "frees code, and calls compiled code")]

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use vmkit_cranelift::Level;

use crate::bench::{Unary, call, plus, start, times, unary};

#[test]
fn eight_threads_run_what_is_redefined() {
    for level in [Level::None, Level::Speed] {
        let cranelift = start(level);
        cranelift.define_lazy("g", unary(), times(0)).unwrap();
        cranelift.define_lazy("f", unary(), plus("g", 0)).unwrap();
        let f = cranelift.function::<Unary>("f").unwrap();
        let (is_over, least) = (AtomicBool::new(false), AtomicI64::new(0));
        let (is_over, least, f) = (&is_over, &least, &f);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let reader = cranelift.session().reader();
                    let mut calls = 0;
                    while !is_over.load(Ordering::Relaxed) || calls == 0 {
                        let _reading = reader.enter();
                        let before = least.load(Ordering::SeqCst);
                        // SAFETY: it takes a number and gives one; this thread reads.
                        let seen = unsafe { f.call(1) };
                        assert!(seen >= before, "{seen} after {before}");
                        calls += 1;
                    }
                });
            }
            for round in 1..=200 {
                cranelift.redefine_lazy("g", unary(), times(round)).unwrap();
                least.store(round, Ordering::SeqCst);
                // SAFETY: whoever runs code is a reader.
                unsafe { cranelift.session().reclaim() };
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert_eq!(call(&cranelift, "f", 1), 200);
        // SAFETY: nobody runs code any more.
        unsafe { cranelift.session().reclaim() };
        let stats = cranelift.session().stats();
        assert!(stats.functions_retired == 0 && stats.modules < 10, "{stats:?}");
    }
}
