//! Safepoints: places where a thread that runs linked code can be stopped.
//!
//! Linked code reads a word, the flag, and calls [`safepoint_entry`] while it is not zero. A flag
//! rather than a page that is protected: to raise it costs one store, where protecting a page is a
//! system call and a signal for each thread, and signal handlers belong to the program; in linked
//! code it costs a compare more, on a line that no one writes.
//!
//! Each thread that runs linked code has a [`Mutator`]. Code other than linked code runs within
//! [`Mutator::native`], where the thread need not be waited for: if it wants to come back while it
//! is stopped, it waits.
#![expect(unsafe_code, reason = "reads the stacks of threads that stand still")]

mod protocol;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::protocol::{Member, Wanted, World};
use crate::code::CodeMap;
use crate::entry::native_entry;
use crate::symbol::Addr;
use crate::walk::{Anchor, End, Slot, Walker};

/// What the protocol is built on; a model checker has its own.
mod sync {
    pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
}

/// The threads that run one virtual machine's linked code.
#[derive(Clone)]
pub struct Safepoints {
    world: Arc<World>,
    next: Arc<AtomicU64>,
}

/// A thread that runs linked code. It belongs to the thread that registered.
pub struct Mutator {
    world: Arc<World>,
    member: Arc<Member>,
    is_managed: Cell<bool>,
    /// Not for other threads.
    thread: PhantomData<*const ()>,
}

/// A thread that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    member: &'a Member,
}

/// A mutator, by the address of the flag that linked code knows it by.
type Known = (u64, Arc<World>, Arc<Member>);

thread_local! {
    /// This thread's mutators.
    static MUTATORS: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
    /// The flags of those whom this thread stops now.
    static STOPS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Default for Safepoints {
    fn default() -> Self {
        Self::new()
    }
}

impl Safepoints {
    /// No threads yet.
    #[must_use]
    pub fn new() -> Self {
        Self { world: Arc::new(World::new()), next: Arc::default() }
    }

    /// What linked code needs in order to poll: names and addresses, to be given to
    /// [`Session::define_absolute`](crate::Session::define_absolute). The addresses are good for as
    /// long as a clone of this lives.
    #[must_use]
    pub fn symbols(&self) -> [(&'static str, Addr); 2] {
        let entry = safepoint_entry as *const () as u64;
        [("vmkit_safepoint_flag", Addr(flag(&self.world))), ("vmkit_safepoint", Addr(entry))]
    }

    /// Makes the calling thread one that can run linked code, and be stopped in it. Waits while
    /// threads are stopped.
    ///
    /// # Panics
    ///
    /// If this thread has them stopped.
    #[must_use]
    pub fn register(&self) -> Mutator {
        assert!(!stops(&self.world), "a thread registers while it has the others stopped");
        let member = self.world.join(self.next.fetch_add(1, Ordering::Relaxed));
        let known = (flag(&self.world), self.world.clone(), member.clone());
        MUTATORS.with_borrow_mut(|mutators| mutators.push(known));
        Mutator {
            world: self.world.clone(),
            member,
            is_managed: Cell::new(false),
            thread: PhantomData,
        }
    }

    /// Stops all threads, runs `work` on them, and lets them go on. The calling thread runs no
    /// linked code: it has no mutator, or is within [`Mutator::native`], and counts as stopped then.
    /// `work` must not register threads, stop them again, or run linked code, nor wait for a thread that
    /// does.
    ///
    /// # Panics
    ///
    /// If the calling thread runs linked code, or has threads stopped already.
    pub fn stop_the_world<R>(&self, work: impl FnOnce(&[Stopped<'_>]) -> R) -> R {
        self.stop(Wanted::All, |held| {
            let stopped: Vec<_> = held.iter().map(|member| Stopped { member }).collect();
            work(&stopped)
        })
    }

    /// Stops one thread, runs `work` on it here, and lets it go on; otherwise as
    /// [`Safepoints::stop_the_world`]. None if the thread is gone.
    ///
    /// # Panics
    ///
    /// As [`Safepoints::stop_the_world`].
    pub fn handshake<R>(&self, thread: u64, work: impl FnOnce(Stopped<'_>) -> R) -> Option<R> {
        self.stop(Wanted::One(thread), |held| held.first().map(|member| work(Stopped { member })))
    }

    fn stop<R>(&self, wanted: Wanted, work: impl FnOnce(&[Arc<Member>]) -> R) -> R {
        let own = flag(&self.world);
        let is_managed = MUTATORS.with_borrow(|mutators| {
            mutators.iter().any(|(flag, _, member)| *flag == own && member.is_managed())
        });
        assert!(!is_managed, "threads are stopped from linked code, not from native");
        assert!(!stops(&self.world), "threads are stopped that this thread has stopped already");
        self.world.with_stopped(wanted, |held| {
            STOPS.with_borrow_mut(|stops| stops.push(own));
            let _over = Finally(|| {
                STOPS.with_borrow_mut(Vec::pop);
            });
            work(held)
        })
    }
}

impl fmt::Debug for Safepoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Safepoints({:#x})", flag(&self.world))
    }
}

/// Has this thread stopped threads?
fn stops(world: &World) -> bool {
    STOPS.with_borrow(|stops| stops.contains(&flag(world)))
}

fn flag(world: &World) -> u64 {
    (&raw const world.flag) as u64
}

impl Mutator {
    /// The number of the thread, for [`Safepoints::handshake`]; never given to another one.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.member.number
    }

    /// Runs linked code. Waits first while the thread is stopped.
    ///
    /// # Panics
    ///
    /// If the thread runs linked code already: what linked code calls must be within
    /// [`Mutator::native`] to call back. If it has the others stopped.
    pub fn managed<R>(&self, run: impl FnOnce() -> R) -> R {
        assert!(!stops(&self.world), "linked code is entered while threads are stopped from here");
        assert!(!self.is_managed.get(), "linked code is called from linked code, not from native");
        self.enter();
        let _leave = Finally(|| self.leave());
        run()
    }

    /// Runs what is not linked code, from an entry that linked code called: meanwhile, the thread need
    /// not be waited for. It must not touch what a stopped thread may not, such as objects that move.
    /// Waits at the end while the thread is stopped.
    ///
    /// Nothing may be thrown from within, by [`throw`](crate::throw::throw), to frames outside.
    ///
    /// # Panics
    ///
    /// If the thread does not run linked code.
    pub fn native<R>(&self, anchor: &mut Anchor, run: impl FnOnce() -> R) -> R {
        assert!(self.is_managed.get(), "linked code is left that was not entered");
        push(&self.member, anchor);
        self.leave();
        let _enter = Finally(|| {
            self.enter();
            pop(&self.member, anchor);
        });
        run()
    }

    /// Stops while somebody wants this thread to; for entries that take their time.
    ///
    /// # Panics
    ///
    /// If the thread does not run linked code.
    pub fn poll(&self, anchor: &mut Anchor) {
        assert!(self.is_managed.get(), "linked code is left that was not entered");
        stop(&self.world, &self.member, anchor);
    }

    fn enter(&self) {
        self.world.enter(&self.member);
        self.is_managed.set(true);
    }

    fn leave(&self) {
        self.is_managed.set(false);
        self.world.leave(&self.member);
    }
}

fn push(member: &Member, anchor: &mut Anchor) {
    anchor.previous = member.anchor.load(Ordering::Relaxed);
    // What others write through the address is in `anchor`: they may move what it refers to.
    member.anchor.store(std::ptr::from_mut(anchor).expose_provenance() as u64, Ordering::Relaxed);
}

fn pop(member: &Member, anchor: &Anchor) {
    member.anchor.store(anchor.previous, Ordering::Relaxed);
}

fn stop(world: &World, member: &Member, anchor: &mut Anchor) {
    push(member, anchor);
    world.stop(member);
    pop(member, anchor);
}

impl Drop for Mutator {
    fn drop(&mut self) {
        if self.is_managed.get() {
            self.leave(); // a panic leaves linked code
        }
        MUTATORS
            .with_borrow_mut(|all| all.retain(|(.., member)| !Arc::ptr_eq(member, &self.member)));
        self.world.part(&self.member, stops(&self.world));
    }
}

impl fmt::Debug for Mutator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mutator({})", self.member.number)
    }
}

impl Stopped<'_> {
    /// The number of the thread: [`Mutator::number`].
    #[must_use]
    pub fn number(&self) -> u64 {
        self.member.number
    }

    /// The address of the anchor where it left linked code; none if none of its frames is linked
    /// code's.
    #[must_use]
    pub fn anchor(&self) -> Option<u64> {
        Some(self.member.anchor.load(Ordering::Relaxed)).filter(|&anchor| anchor != 0)
    }

    /// Its frames of linked code, from the innermost outwards. While it stands still, what they
    /// refer to may be replaced through [`Frame::relocate`](crate::walk::Frame::relocate).
    ///
    /// # Safety
    ///
    /// What the map says of the code is true: what it says decides which memory is read.
    pub unsafe fn frames<'a>(
        &self,
        map: &'a CodeMap,
    ) -> Option<Walker<'a, impl FnMut(u64) -> Option<u64> + use<'a>>> {
        // SAFETY: the thread's stack stays while it stands still; the caller vouches for the map.
        let read = |at: u64| Some(unsafe { (at as *const u64).read() });
        Some(Walker::from_anchor(map, self.anchor()?, read))
    }

    /// Tells its frames where the objects that they refer to are now, by `forward`, as
    /// [`Frame::relocate`](crate::walk::Frame::relocate) does.
    ///
    /// # Errors
    ///
    /// A frame cannot be walked: it and those further out were told nothing, or not all.
    ///
    /// # Safety
    ///
    /// As for [`Stopped::frames`]; and nobody else reads or writes the thread's stack meanwhile.
    pub unsafe fn relocate(
        &self,
        map: &CodeMap,
        mut forward: impl FnMut(u64) -> u64,
    ) -> Result<(), End> {
        // SAFETY: the caller's promise.
        let Some(mut frames) = (unsafe { self.frames(map) }) else { return Ok(()) };
        for frame in frames.by_ref() {
            // Entries save all registers that are kept at a call.
            let is_lost = |slot| matches!(slot, Slot::Register(_));
            if frame.roots().any(|pair| is_lost(pair.base) || is_lost(pair.derived)) {
                return Err(End::NoRules);
            }
            // SAFETY: places in the frame of a thread that stands still; the caller vouches for the map.
            let read = |slot| unsafe { word(slot).read() };
            // SAFETY: as above; nobody else looks.
            let write = |slot, value| unsafe { word(slot).write(value) };
            frame.relocate(read, write, &mut forward);
        }
        whole(frames.end())
    }
}

/// Where in memory a slot is; registers are at none.
fn word(slot: Slot) -> *mut u64 {
    match slot {
        Slot::Memory(at) => std::ptr::with_exposed_provenance_mut(at as usize),
        Slot::Register(_) => std::ptr::null_mut(),
    }
}

/// Did a walk see all frames of linked code?
pub(crate) fn whole(end: Option<End>) -> Result<(), End> {
    match end {
        None | Some(End::Native) => Ok(()),
        Some(end) => Err(end),
    }
}

/// Runs something at the end of a scope, however that ends.
struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

extern "C" fn safepoint(flag: u64, anchor: &mut Anchor) {
    let found = MUTATORS.with_borrow(|mutators| {
        let found = mutators.iter().find(|(known, ..)| *known == flag);
        found.map(|(_, world, member)| (world.clone(), member.clone()))
    });
    if let Some((world, member)) = found {
        stop(&world, &member, anchor);
    }
}

native_entry! {
    /// What linked code calls, with the flag's address, when it finds the flag raised. The thread
    /// stops there if it is wanted; a thread without a mutator goes on.
    pub fn safepoint_entry(flag) = safepoint;
}

#[cfg(test)]
mod tests;
