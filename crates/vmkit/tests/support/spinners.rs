//! Threads that spin in linked code while the objects that they spin on are moved.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use vmkit::code::CodeMap;
use vmkit::safepoint::Safepoints;

const THREADS: u64 = 8;

/// Header, reference, number; code spins until the number is not zero. Objects are never freed.
type Object = [AtomicU64; 3];

pub(crate) fn object(header: u64) -> u64 {
    Box::into_raw(Box::<Object>::new([header.into(), 0.into(), 0.into()])) as u64
}

fn word(object: u64, index: usize) -> &'static AtomicU64 {
    // SAFETY: the callers have addresses of objects.
    unsafe { &(*(object as *const Object))[index] }
}

/// Lets threads that spin on an object go on.
pub(crate) fn release(object: u64) {
    word(object, 2).store(1, Ordering::Relaxed);
}

/// Runs `spin` on threads, each with a header and the object that has it, and moves the objects that
/// their frames refer to many times; then all must come to an end, which they do only if they look at
/// the objects' last places.
pub(crate) fn move_under_threads(
    map: &CodeMap,
    safepoints: &Safepoints,
    spin: impl Fn(u64, u64) + Sync,
) {
    let mut now: Vec<_> = (0..THREADS).map(object).collect();
    thread::scope(|scope| {
        for (header, &object) in (0..).zip(&now) {
            let spin = &spin;
            scope.spawn(move || safepoints.register().managed(|| spin(header, object)));
        }
        let mut found = [0; THREADS as usize];
        while found.contains(&0) || found.iter().sum::<usize>() < 200 {
            safepoints.stop_the_world(|stopped| {
                for thread in stopped {
                    let mut moved = HashMap::new();
                    let forward = |old| {
                        let header = word(old, 0).load(Ordering::Relaxed);
                        *moved.entry(old).or_insert_with(|| object(header))
                    };
                    // SAFETY: the map is told by the session whose code it is.
                    unsafe { thread.relocate(map, forward) }.expect("frames can be walked");
                    for (old, new) in moved {
                        let number = now.iter().position(|&at| at == old).expect("not moved yet");
                        now[number] = new;
                        found[number] += 1;
                    }
                }
            });
            thread::yield_now();
        }
        now.iter().copied().for_each(release);
    });
    assert!(map.take_errors().is_empty());
}
