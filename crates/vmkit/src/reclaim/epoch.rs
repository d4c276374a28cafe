//! Epochs: which threads may still run what was current before now.
//!
//! The protocol of read-copy-update: a thread notes the epoch when it enters code, and notes that it
//! is outside when it leaves. What was retired in an epoch can be freed once every thread that is
//! inside has entered in a later one.
#![forbid(unsafe_code)]

#[cfg(loom)]
use loom::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering, fence},
};
#[cfg(not(loom))]
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering, fence},
};

/// In a thread's word: it is outside.
const OUTSIDE: u64 = 0;

/// The epochs of a session.
pub(crate) struct Epochs {
    now: AtomicU64,
    /// For each thread, the epoch in which it entered.
    threads: Mutex<Vec<Arc<AtomicU64>>>,
}

/// One thread's word.
pub(crate) struct Thread(Arc<AtomicU64>);

impl Epochs {
    pub(crate) fn new() -> Self {
        Self { now: AtomicU64::new(1), threads: Mutex::new(Vec::new()) }
    }

    /// A thread that is outside.
    pub(crate) fn add_thread(&self) -> Thread {
        let word = Arc::new(AtomicU64::new(OUTSIDE));
        let mut threads = self.threads.lock().expect("nobody panics with the lock");
        threads.push(word.clone());
        Thread(word)
    }

    pub(crate) fn remove_thread(&self, thread: &Thread) {
        let mut threads = self.threads.lock().expect("nobody panics with the lock");
        threads.retain(|word| !Arc::ptr_eq(word, &thread.0));
    }

    /// The epoch in which something is retired that nobody can find from now on.
    pub(crate) fn current(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Begins an epoch. What was retired in an epoch before the one it gives can be freed.
    pub(crate) fn advance(&self) -> u64 {
        let next = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        // With the one in `enter`: either a thread's word is seen here, or the thread sees that what
        // was retired is gone.
        fence(Ordering::SeqCst);
        let threads = self.threads.lock().expect("nobody panics with the lock");
        let inside = threads.iter().map(|word| word.load(Ordering::SeqCst));
        inside.filter(|&epoch| epoch != OUTSIDE).min().unwrap_or(next)
    }
}

impl Thread {
    /// The thread is about to run code that it finds from now on.
    pub(crate) fn enter(&self, epochs: &Epochs) {
        self.0.store(epochs.now.load(Ordering::SeqCst), Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// The thread runs none of it any more.
    pub(crate) fn leave(&self) {
        self.0.store(OUTSIDE, Ordering::SeqCst);
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::atomic::AtomicUsize;
    use loom::thread;

    use super::*;

    /// Two versions of a function: a slot says which is current, and each says whether it is freed.
    struct Code {
        epochs: Epochs,
        slot: AtomicUsize,
        is_freed: [AtomicUsize; 2],
    }

    fn run(code: &Code, thread: &Thread) {
        thread.enter(&code.epochs);
        let version = code.slot.load(Ordering::Acquire);
        // Still there when it runs.
        assert_eq!(code.is_freed[version].load(Ordering::SeqCst), 0);
        thread.leave();
    }

    fn model(runs: usize, collections: usize) {
        loom::model(move || {
            let code = Arc::new(Code {
                epochs: Epochs::new(),
                slot: AtomicUsize::new(0),
                is_freed: [AtomicUsize::new(0), AtomicUsize::new(0)],
            });
            let word = code.epochs.add_thread();
            let runner = {
                let code = code.clone();
                thread::spawn(move || (0..runs).for_each(|_| run(&code, &word)))
            };
            code.slot.store(1, Ordering::SeqCst);
            let retired = code.epochs.current();
            for _ in 0..collections {
                if retired < code.epochs.advance() {
                    code.is_freed[0].store(1, Ordering::SeqCst);
                }
            }
            runner.join().unwrap();
            assert!(retired < code.epochs.advance(), "nobody is inside");
        });
    }

    #[test]
    fn nothing_is_freed_while_it_runs() {
        model(1, 2);
        model(2, 1);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_entered_before_holds_back() {
        let epochs = Epochs::new();
        let (early, late) = (epochs.add_thread(), epochs.add_thread());
        early.enter(&epochs);
        let retired = epochs.current();
        assert!(retired >= epochs.advance());
        late.enter(&epochs);
        early.leave();
        assert!(retired < epochs.advance(), "the other entered later");
        early.enter(&epochs);
        let again = epochs.current();
        assert!(again >= epochs.advance());
        epochs.remove_thread(&early);
        epochs.remove_thread(&late);
        assert!(again < epochs.advance(), "nobody is left");
    }
}
