use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

const THREADS: u64 = 8;

/// What linked code would do at a poll.
fn poll(mutator: &Mutator, anchor: &mut Anchor) {
    if mutator.world.flag.load(Ordering::Relaxed) != 0 {
        safepoint(flag(&mutator.world), anchor);
    }
}

/// Runs threads that count, until `main` is done: each in linked code, at polls, and in native code.
fn with_counters(main: impl FnOnce(&Safepoints, &[AtomicU64])) -> Vec<u64> {
    let safepoints = Safepoints::new();
    let counters: Vec<_> = (0..THREADS).map(|_| AtomicU64::new(0)).collect();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for counter in &counters {
            let (safepoints, is_done) = (safepoints.clone(), &is_done);
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    let mutator = safepoints.register();
                    mutator.managed(|| run(&mutator, counter));
                }
            });
        }
        // A panic must let the threads end.
        let _done = Finally(|| is_done.store(true, Ordering::Relaxed));
        main(&safepoints, &counters);
    });
    counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect()
}

/// Linked code: it counts, which a stopped thread must not.
fn run(mutator: &Mutator, counter: &AtomicU64) {
    let mut anchor = Anchor::default();
    let count = || counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    for round in 0..100 {
        count();
        poll(mutator, &mut anchor);
        if round % 10 == 0 {
            mutator.native(&mut anchor, || {
                if round % 50 == 0 {
                    thread::yield_now();
                }
            });
        }
    }
}

fn read(counters: &[AtomicU64]) -> Vec<u64> {
    counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect()
}

/// How many times the world is stopped; fewer under slow tools.
const STOPS: usize = if cfg!(miri) { 5 } else { 500 };

#[test]
fn stopped_threads_stand_still_stress() {
    let counts = with_counters(|safepoints, counters| {
        while read(counters).contains(&0) {
            thread::yield_now();
        }
        for stop in 0..STOPS {
            safepoints.stop_the_world(|stopped| {
                assert!(stopped.len() <= THREADS as usize);
                let before = read(counters);
                if stop % 50 == 0 {
                    thread::sleep(Duration::from_millis(1));
                }
                assert_eq!(read(counters), before);
            });
        }
    });
    assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
}

#[test]
fn several_threads_stop_the_world_stress() {
    with_counters(|safepoints, counters| {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    // One that runs linked code itself, now and then.
                    let mutator = safepoints.register();
                    for _ in 0..STOPS / 5 {
                        mutator.managed(|| {
                            let mut anchor = Anchor::default();
                            mutator.native(&mut anchor, || {
                                safepoints.stop_the_world(|stopped| {
                                    let own =
                                        stopped.iter().find(|s| s.number() == mutator.number());
                                    assert!(own.is_some_and(|own| own.anchor().is_some()));
                                    let before = read(counters);
                                    thread::yield_now();
                                    assert_eq!(read(counters), before);
                                });
                            });
                            poll(&mutator, &mut anchor);
                        });
                    }
                });
            }
        });
    });
}

#[test]
fn a_handshake_stops_one_thread() {
    let safepoints = Safepoints::new();
    let (stop, moved) = (AtomicBool::new(false), AtomicU64::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..2 {
            let sender = sender.clone();
            let (safepoints, stop, moved) = (&safepoints, &stop, &moved);
            scope.spawn(move || {
                let mutator = safepoints.register();
                sender.send(mutator.number()).unwrap();
                let mut anchor = Anchor::default();
                mutator.managed(|| {
                    while !stop.load(Ordering::Relaxed) {
                        poll(&mutator, &mut anchor);
                        moved.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        let first = receiver.recv().unwrap();
        let second = receiver.recv().unwrap();
        assert_ne!(first, second);
        for number in [first, second] {
            let found = safepoints.handshake(number, |stopped| {
                let before = moved.load(Ordering::Relaxed);
                // The other one goes on.
                while moved.load(Ordering::Relaxed) == before {
                    thread::yield_now();
                }
                stopped.number()
            });
            assert_eq!(found, Some(number));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(safepoints.handshake(0, |stopped| stopped.number()), None);
}

#[test]
fn anchors_are_chained_from_the_last_outwards() {
    let safepoints = Safepoints::new();
    let mutator = safepoints.register();
    let at = |anchor: &Anchor| std::ptr::from_ref(anchor) as u64;
    let head = || mutator.member.anchor.load(Ordering::Relaxed);
    let (mut outer, mut inner) = (Anchor::default(), Anchor::default());
    mutator.managed(|| {
        let outer_at = at(&outer);
        mutator.native(&mut outer, || {
            assert_eq!(head(), outer_at);
            mutator.managed(|| {
                let inner_at = at(&inner);
                mutator.native(&mut inner, || assert_eq!(head(), inner_at));
                assert_eq!(inner.previous, outer_at);
                assert_eq!(head(), outer_at);
            });
        });
        assert_eq!(outer.previous, 0);
    });
    assert_eq!(head(), 0);
}

#[test]
fn a_panic_leaves_linked_code() {
    let safepoints = Safepoints::new();
    let mutator = safepoints.register();
    let run = std::panic::AssertUnwindSafe(|| mutator.managed(|| panic!("in linked code")));
    assert!(std::panic::catch_unwind(run).is_err());
    // It would wait for this thread for ever.
    assert_eq!(safepoints.stop_the_world(|stopped| stopped.len()), 1);
}

#[test]
#[should_panic(expected = "linked code is called from linked code")]
fn linked_code_is_entered_from_native_code_only() {
    let mutator = Safepoints::new().register();
    mutator.managed(|| mutator.managed(|| ()));
}

#[test]
fn threads_without_a_mutator_do_not_stop() {
    let safepoints = Safepoints::new();
    let other = Safepoints::new();
    let mutator = other.register();
    safepoints.stop_the_world(|stopped| {
        assert!(stopped.is_empty());
        let mut anchor = Anchor::default();
        mutator.managed(|| safepoint(flag(&safepoints.world), &mut anchor));
    });
}

/// Whatever would wait for ever for this very thread is a panic instead.
#[test]
fn who_stops_threads_does_not_wait_for_itself() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let safepoints = Safepoints::new();
    let mutator = safepoints.register();
    let check = |expected: &str, work: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&expected));
        // Everything goes on.
        mutator.managed(|| ());
        assert_eq!(safepoints.stop_the_world(|stopped| stopped.len()), 1);
    };
    let stop = || safepoints.stop_the_world(|_| ());
    let again = "threads are stopped that this thread has stopped already";
    let linked = "threads are stopped from linked code, not from native";
    let number = mutator.number();
    check(linked, &|| mutator.managed(stop));
    check(linked, &|| mutator.managed(|| _ = safepoints.handshake(number, |_| ())));
    check(again, &|| safepoints.stop_the_world(|_| stop()));
    check(again, &|| _ = safepoints.handshake(number, |_| stop()));
    check("a thread registers while it has the others stopped", &|| {
        safepoints.stop_the_world(|_| drop(safepoints.register()));
    });
    check("linked code is entered while threads are stopped from here", &|| {
        safepoints.stop_the_world(|_| mutator.managed(|| ()));
    });
    // Other machines' threads are others.
    let other = Safepoints::new();
    let of_other = other.register();
    mutator.managed(|| other.stop_the_world(|stopped| assert_eq!(stopped.len(), 1)));
    other.stop_the_world(|_| stop());
    drop(of_other);
    safepoints.stop_the_world(|_| drop(mutator));
    assert_eq!(safepoints.stop_the_world(|stopped| stopped.len()), 0);
}
