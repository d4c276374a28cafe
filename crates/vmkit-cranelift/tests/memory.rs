//! Memory stays bounded, in a process of its own where that can be seen.
#![expect(unsafe_code, reason = "frees code")]

#[path = "kit/bench.rs"]
mod bench;

use vmkit_cranelift::Level;

use self::bench::{call, plus, start, times, unary};

/// Bytes that the process has in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn a_hundred_thousand_redefinitions_run_in_bounded_memory() {
    let cranelift = start(Level::None);
    cranelift.define_lazy("g", unary(), times(0)).unwrap();
    cranelift.define_lazy("f", unary(), plus("g", 0)).unwrap();
    let session = cranelift.session().clone();
    let mut before = 0;
    for round in 1..=100_000 {
        cranelift.redefine_lazy("g", unary(), times(round)).unwrap();
        // A compile each time would take minutes; many are never called.
        if round % 50 == 0 {
            assert_eq!(call(&cranelift, "f", 1), round);
            // SAFETY: nobody runs code now.
            unsafe { session.reclaim() };
        }
        if round == 10_000 {
            before = resident();
        }
    }
    let stats = session.stats();
    assert!(stats.modules < 10 && stats.code_bytes < 1 << 12, "{stats:?}");
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
}
