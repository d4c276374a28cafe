//! Those who wait for words to change: they look for a while, then they sleep.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::futex;

/// After so many failures in a row, looking is tried at one of `1 << MOST_MISSES` waits.
const MOST_MISSES: u32 = 6;

/// Those who wait for any of many words. Safe to use in a signal handler.
///
/// Waking a thread whose processor sleeps costs tens of microseconds, so that it pays to look that
/// long whether the word changes; unless the processors have other work, or what is waited for
/// takes longer. Hence one thread looks at a time, and the more seldom the more often it was in
/// vain.
#[derive(Default)]
pub(crate) struct Waiters {
    asleep: AtomicU32,
    is_one_looking: AtomicBool,
    /// How often in a row looking was in vain, at most [`MOST_MISSES`].
    misses: AtomicU32,
    waits: AtomicU32,
}

impl Waiters {
    /// Waits while `word` holds `value`, and looks for at most `look` before it sleeps; may return
    /// early.
    pub(crate) fn wait(&self, word: &AtomicU32, value: u32, look: Duration) {
        if !look.is_zero() && self.look(word, value, look) {
            return;
        }
        // Before the kernel looks at the word: whoever changes it sees this, or is seen.
        self.asleep.fetch_add(1, Ordering::SeqCst);
        futex::wait(word, value);
        self.asleep.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes those who wait for `word`, which has just been changed.
    pub(crate) fn wake(&self, word: &AtomicU32) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) > 0 {
            futex::wake_all(word);
        }
    }

    /// In the child of a fork, which has none of the other threads.
    pub(crate) fn forget(&self) {
        self.asleep.store(0, Ordering::SeqCst);
        self.is_one_looking.store(false, Ordering::SeqCst);
    }

    /// Did the word change while this thread looked?
    fn look(&self, word: &AtomicU32, value: u32, limit: Duration) -> bool {
        let misses = self.misses.load(Ordering::Relaxed);
        let wait = self.waits.fetch_add(1, Ordering::Relaxed);
        if !wait.is_multiple_of(1 << misses) || self.is_one_looking.swap(true, Ordering::Acquire) {
            return false;
        }
        let has_changed = changes(word, value, limit);
        self.is_one_looking.store(false, Ordering::Release);
        let misses = if has_changed { 0 } else { (misses + 1).min(MOST_MISSES) };
        self.misses.store(misses, Ordering::Relaxed);
        has_changed
    }
}

/// For so long, who looks keeps the processor to itself; then it yields it between two looks.
const ALONE: Duration = Duration::from_micros(200);

/// Does the word change within the limit?
pub(crate) fn changes(word: &AtomicU32, value: u32, limit: Duration) -> bool {
    let began = Instant::now();
    loop {
        for _ in 0..32 {
            if word.load(Ordering::Acquire) != value {
                return true;
            }
            std::hint::spin_loop();
        }
        let passed = began.elapsed();
        if passed >= limit {
            return false;
        }
        if passed >= ALONE {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_micros(20);

    #[test]
    fn who_sleeps_is_woken_and_who_looks_sees_it() {
        let (waiters, word) = (Waiters::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..1_000 {
                        while word.load(Ordering::Acquire) <= round {
                            waiters.wait(&word, round, LOOK);
                        }
                    }
                });
            }
            for round in 0..1_000 {
                if round % 3 == 0 {
                    std::thread::sleep(2 * LOOK);
                }
                word.store(round + 1, Ordering::SeqCst);
                waiters.wake(&word);
            }
        });
        assert_eq!(waiters.asleep.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn looking_in_vain_is_tried_ever_more_seldom_until_it_is_not_in_vain() {
        let (waiters, word) = (Waiters::default(), AtomicU32::new(0));
        let mut looks = 0;
        for _ in 0..256 {
            let before = waiters.misses.load(Ordering::Relaxed);
            waiters.misses.store(before.min(MOST_MISSES - 1), Ordering::Relaxed);
            assert!(!waiters.look(&word, 0, LOOK));
            looks +=
                u32::from(waiters.misses.load(Ordering::Relaxed) > before.min(MOST_MISSES - 1));
        }
        assert!((5..20).contains(&looks), "{looks} looks");
        waiters.waits.store(0, Ordering::Relaxed);
        assert!(waiters.look(&word, 1, LOOK));
        assert_eq!(waiters.misses.load(Ordering::Relaxed), 0);
    }
}
