//! All interleavings of threads that are stopped and let go on, by a model checker.
#![expect(unsafe_code, reason = "the cell that stands for a heap")]

/// The protocol itself, on the checker's atomics and locks.
#[path = "../src/safepoint/protocol.rs"]
#[allow(dead_code, reason = "the model does without what the stack walk needs")]
mod protocol;

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
}

use loom::cell::UnsafeCell;
use loom::thread;
use protocol::{Member, Wanted, World};
use sync::{Arc, Ordering};

/// What a thread may only touch while it runs linked code, and others only while it is stopped: the
/// checker finds every access that could be at the same time as another.
type Heap = Arc<UnsafeCell<u32>>;

fn touch(heap: &Heap) {
    heap.with_mut(|value| {
        // SAFETY: that nobody else is here is what the model is to show.
        unsafe { *value += 1 };
    });
}

fn poll(world: &World, member: &Member) {
    if world.flag.load(Ordering::Relaxed) != 0 {
        world.stop(member);
    }
}

/// A thread that runs linked code, polls, calls native code and comes back.
fn mutate(world: &Arc<World>, number: u64, heap: &Heap) {
    let member = world.join(number);
    world.enter(&member);
    touch(heap);
    poll(world, &member);
    touch(heap);
    world.leave(&member);
    world.enter(&member);
    touch(heap);
    world.leave(&member);
    world.part(&member, false);
}

fn check(threads: u64, preemptions: Option<usize>, main: fn(&Arc<World>, &[Heap])) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let world = Arc::new(World::new());
        let heaps: Vec<Heap> = (0..threads).map(|_| Arc::new(UnsafeCell::new(0))).collect();
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                let (world, heap) = (world.clone(), heaps[number as usize].clone());
                thread::spawn(move || mutate(&world, number, &heap))
            })
            .collect();
        main(&world, &heaps);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert_eq!(world.flag.load(Ordering::Relaxed), 0);
    });
}

fn stop_all(world: &Arc<World>, heaps: &[Heap]) {
    world.with_stopped(Wanted::All, |held| {
        held.iter().for_each(|member| touch(&heaps[member.number as usize]));
    });
}

fn stop_one(world: &Arc<World>, heaps: &[Heap]) {
    world.with_stopped(Wanted::One(0), |held| {
        assert!(held.len() <= 1);
        held.iter().for_each(|member| touch(&heaps[member.number as usize]));
    });
}

#[test]
fn a_stopped_thread_touches_nothing() {
    check(1, None, stop_all);
}

#[test]
fn threads_are_stopped_together() {
    check(2, Some(2), stop_all);
}

#[test]
fn others_go_on_during_a_handshake() {
    check(2, Some(2), stop_one);
}

#[test]
fn two_operations_take_turns() {
    check(1, Some(3), |world, heaps| {
        let (other, heap) = (world.clone(), heaps.to_vec());
        let second = thread::spawn(move || stop_one(&other, &heap));
        stop_all(world, heaps);
        second.join().unwrap();
    });
}

/// A thread that stops the world has a heap itself, and is stopped by another meanwhile.
#[test]
fn threads_that_stop_one_another_do_not_wait_for_ever() {
    check(1, Some(3), |world, heaps| {
        let member = world.join(7);
        world.enter(&member);
        poll(world, &member);
        world.leave(&member);
        world.with_stopped(Wanted::All, |held| {
            let others = held.iter().filter(|member| member.number != 7);
            others.for_each(|member| touch(&heaps[member.number as usize]));
        });
        world.enter(&member);
        world.leave(&member);
        world.part(&member, false);
    });
}
