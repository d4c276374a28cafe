//! Compiling without Cranelift's clocks.

use std::any::Any;

use cranelift_codegen::timing::{Pass, Profiler, set_thread_profiler};

/// Takes no times.
struct Untimed;

impl Profiler for Untimed {
    fn start_pass(&self, _: Pass) -> Box<dyn Any> {
        Box::new(())
    }
}

/// The thread's own profiler, which is put back.
struct Before(Option<Box<dyn Profiler>>);

impl Drop for Before {
    fn drop(&mut self) {
        self.0.take().map(set_thread_profiler);
    }
}

/// Does work of which nobody asks what took how long: Cranelift looks at the clock before and after each
/// of its passes, which takes longer than some of them.
pub(crate) fn untimed<T>(work: impl FnOnce() -> T) -> T {
    let _before = Before(Some(set_thread_profiler(Box::new(Untimed))));
    work()
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::timing::{self, take_current};

    use super::*;

    fn is_timed() -> bool {
        let pass = timing::regalloc();
        std::thread::sleep(std::time::Duration::from_millis(1));
        drop(pass);
        !take_current().total().is_zero()
    }

    #[test]
    fn times_are_taken_before_and_after() {
        assert!(is_timed());
        assert!(!untimed(is_timed));
        assert!(is_timed());
        let panicked = std::panic::catch_unwind(|| untimed(|| panic!("a pass fails")));
        assert!(panicked.is_err() && is_timed());
    }
}
