//! How threads are stopped and let go on. Nothing here knows of code or stacks.
//!
//! A thread runs linked code (`MANAGED`), or something else (`NATIVE`), in which case it can be held
//! (`HELD`) by whoever stops it. It goes back and forth between the first two by one atomic
//! operation each; all else happens under one lock.
//!
//! ```text
//!             leaves linked code, or stops at a poll            is claimed
//!   MANAGED ───────────────────────────────────────► NATIVE ◄──────────────► HELD
//!           ◄───────────────────────────────────────         is released
//!             goes back, unless it is wanted
//! ```

use super::sync::{Arc, AtomicU32, AtomicU64, Condvar, Mutex, MutexGuard, Ordering, fence};

/// Runs linked code.
const MANAGED: u32 = 0;
/// Touches nothing that a stopped thread must not touch.
const NATIVE: u32 = 1;
/// As `NATIVE`, and cannot leave it.
const HELD: u32 = 2;

/// The threads, and who stops them.
#[derive(Debug)]
pub(super) struct World {
    /// Not zero while a thread is to stop; read by linked code.
    pub(super) flag: AtomicU32,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    members: Vec<Arc<Member>>,
    /// Whom an operation under way wants to stop.
    wanted: Option<Wanted>,
}

/// Whom to stop: the thread of this number, or all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    All,
    One(u64),
}

/// A thread.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: u64,
    state: AtomicU32,
    /// Where it last left linked code: the address of an anchor, or 0. Written by the thread itself,
    /// and never while it is held.
    pub(super) anchor: AtomicU64,
}

impl Member {
    /// Is it in linked code? For the thread itself to ask.
    pub(super) fn is_managed(&self) -> bool {
        self.state.load(Ordering::Relaxed) == MANAGED
    }
}

impl Wanted {
    fn includes(self, member: &Member) -> bool {
        match self {
            Self::All => true,
            Self::One(number) => member.number == number,
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self { flag: AtomicU32::new(0), inner: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        self.changed.wait(inner).unwrap_or_else(|poison| poison.into_inner())
    }

    /// Makes the calling thread one that can be stopped; it runs no linked code yet.
    pub(super) fn join(&self, number: u64) -> Arc<Member> {
        let (state, anchor) = (AtomicU32::new(NATIVE), AtomicU64::new(0));
        let member = Arc::new(Member { number, state, anchor });
        let mut inner = self.lock();
        // An operation under way has counted those whom it holds.
        while inner.wanted.is_some() {
            inner = self.wait(inner);
        }
        inner.members.push(member.clone());
        member
    }

    /// The thread is gone; it runs no linked code. If it `stops` others itself, it need not wait for that
    /// to be over.
    pub(super) fn part(&self, member: &Arc<Member>, stops: bool) {
        let mut inner = self.lock();
        while !stops && member.state.load(Ordering::Relaxed) == HELD {
            inner = self.wait(inner);
        }
        inner.members.retain(|other| !Arc::ptr_eq(other, member));
    }

    /// The thread leaves linked code.
    pub(super) fn leave(&self, member: &Member) {
        member.state.store(NATIVE, Ordering::Release);
        // Either we see that somebody wants to stop us, or he sees that we left.
        fence(Ordering::SeqCst);
        if self.flag.load(Ordering::Relaxed) != 0 {
            let _inner = self.lock();
            self.changed.notify_all();
        }
    }

    /// The thread goes back to linked code, once nobody holds it.
    pub(super) fn enter(&self, member: &Member) {
        let try_it = || {
            let state = &member.state;
            state.compare_exchange(NATIVE, MANAGED, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        if try_it() {
            return;
        }
        let mut inner = self.lock();
        while !try_it() {
            inner = self.wait(inner);
        }
    }

    /// The thread, which found the flag raised, stops while it is wanted.
    pub(super) fn stop(&self, member: &Member) {
        let mut inner = self.lock();
        let is_wanted = |inner: &Inner| inner.wanted.is_some_and(|wanted| wanted.includes(member));
        if !is_wanted(&inner) {
            return;
        }
        member.state.store(NATIVE, Ordering::Release);
        self.changed.notify_all();
        while is_wanted(&inner) {
            inner = self.wait(inner);
        }
        member.state.store(MANAGED, Ordering::Relaxed);
    }

    /// Stops threads, runs `work` on them, and lets them go on. The calling thread runs no linked
    /// code.
    pub(super) fn with_stopped<R>(
        &self,
        wanted: Wanted,
        work: impl FnOnce(&[Arc<Member>]) -> R,
    ) -> R {
        let mut inner = self.lock();
        while inner.wanted.is_some() {
            inner = self.wait(inner);
        }
        inner.wanted = Some(wanted);
        self.flag.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let (inner, held) = self.hold(inner, wanted);
        drop(inner);
        let release = Release { world: self, held };
        work(&release.held)
    }

    fn hold<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        wanted: Wanted,
    ) -> (MutexGuard<'a, Inner>, Vec<Arc<Member>>) {
        let mut held: Vec<Arc<Member>> = Vec::new();
        loop {
            let is_held =
                |member: &Arc<Member>| held.iter().any(|other| Arc::ptr_eq(other, member));
            // Threads may have gone while we waited.
            let next =
                inner.members.iter().find(|member| wanted.includes(member) && !is_held(member));
            let Some(next) = next.cloned() else { return (inner, held) };
            let state = &next.state;
            match state.compare_exchange(NATIVE, HELD, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => held.push(next),
                Err(_) => inner = self.wait(inner),
            }
        }
    }
}

/// Lets threads go on when it is dropped.
struct Release<'a> {
    world: &'a World,
    held: Vec<Arc<Member>>,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        let mut inner = self.world.lock();
        self.world.flag.store(0, Ordering::Relaxed);
        inner.wanted = None;
        for member in &self.held {
            member.state.store(NATIVE, Ordering::Release);
        }
        self.world.changed.notify_all();
    }
}
