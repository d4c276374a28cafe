//! Who compiles when: the queue of first calls, the compile threads, and those who wait.
//!
//! A calling thread only queues a symbol and sleeps on its state word: no lock, no allocation, little
//! stack. So a first call can happen in a signal handler, on a tiny stack, with any
//! floating-point mode; the compiler runs on threads of its own.
#![expect(unsafe_code, reason = "called from stubs; calls ifunc resolvers")]

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::host::{self, Gate, Registers};
use crate::interposition;
use crate::link::Linker;
use crate::nesting::{self, Nesting};
use crate::queue::Queue;
use crate::stats::Counters;
use crate::symbol::{Addr, SymbolId};
use crate::table::{Event, State};
use crate::turnstile::Turnstile;

/// Stack of a compile thread, in bytes: LLVM recurses deeply on large functions. Pages that are not
/// touched cost nothing.
const STACK: usize = 64 << 20;
/// What the system calls compile threads.
pub const COMPILE_THREAD: &CStr = c"vmkit compile";
/// How long an idle compile thread looks for work before it sleeps: programs that start make one first
/// call after another, and waking a thread costs tens of microseconds.
const LOOK: Duration = Duration::from_micros(60);
/// How long those who wait look whether an idle compile thread, or one that tidies up, has begun on what
/// was queued.
const PICK_UP: Duration = Duration::from_micros(100);
/// How long they look whether code is there: longer than most functions take that are not optimized.
const COMPILE: Duration = Duration::from_millis(1);
/// How long an idle compile thread sleeps before it ends: sessions that are not used any more have
/// none, and go when their last handle has gone.
const PATIENCE: Duration = Duration::from_millis(500);

/// What to do about a call that cannot be resolved or compiled: the address to run instead.
pub(crate) type FailureHook = Box<dyn Fn(SymbolId, &Error, Addr) -> Addr + Send + Sync>;

/// Compiles what is called.
pub(crate) struct Compiler {
    pub(crate) linker: Linker,
    gate: Box<Gate>,
    on_failure: FailureHook,
    pub(crate) began: Instant,
    errors: Mutex<FxHashMap<SymbolId, Error>>,
    queue: Queue,
    /// Counts pushes; idle threads sleep on it.
    pushes: AtomicU32,
    idle: AtomicU32,
    threads: AtomicU32,
    most_threads: u32,
    nesting: Nesting,
    /// Those who do something that a fork must not see half done.
    pub(crate) turnstile: Turnstile,
}

/// Called by the first-call entry, on the stack of whoever called a stub.
///
/// # Safety
///
/// `gate` is the one that the stubs of a live session were made with.
pub(crate) unsafe extern "C" fn first_call(
    gate: *const Gate,
    symbol: u64,
    caller: u64,
    _: *const Registers,
) -> u64 {
    // SAFETY: the compiler outlives its stubs, by the promise of whoever runs them.
    let compiler = unsafe { &*(*gate).owner.load(Ordering::Acquire).cast::<Compiler>() };
    host::keep_errno(|| compiler.called(SymbolId(symbol as u32), Addr(caller)).0)
}

impl Compiler {
    pub(crate) fn new(
        linker: Linker,
        gate: Box<Gate>,
        most_threads: u32,
        on_failure: FailureHook,
    ) -> Arc<Self> {
        let compiler = Arc::new(Self {
            linker,
            gate,
            on_failure,
            began: Instant::now(),
            errors: Mutex::default(),
            queue: Queue::new(host::processors()),
            pushes: AtomicU32::new(0),
            idle: AtomicU32::new(0),
            threads: AtomicU32::new(0),
            most_threads: most_threads.max(1),
            nesting: Nesting::default(),
            turnstile: Turnstile::default(),
        });
        compiler.gate.owner.store(Arc::as_ptr(&compiler).cast_mut().cast(), Ordering::Release);
        compiler
    }

    /// The address to run for a call of `id` from `caller`.
    fn called(&self, id: SymbolId, caller: Addr) -> Addr {
        let entry = self.linker.table.entry(id);
        let relaxed = Ordering::Relaxed;
        let is_first = entry.caller.compare_exchange(0, caller.0, relaxed, relaxed).is_ok();
        if is_first && let Some(called) = self.linker.table.called(id) {
            called.store(self.began.elapsed().as_nanos() as u64, relaxed);
        }
        loop {
            let began = self.linker.table.now();
            match (self.wait_for(id), entry.address()) {
                // It was redefined in this moment.
                (Ok(State::Ready | State::Resolving), 0) => {}
                (Ok(State::Resolving), resolver) => {
                    return self.resolve_indirect(id, resolver, began);
                }
                (Ok(State::Ready), address) => return Addr(address),
                (Ok(_), _) => return self.fail(id, &self.error(id), caller),
                (Err(error), _) => return self.fail(id, &error, caller),
            }
        }
    }

    /// What to run for a call that cannot be resolved or compiled.
    pub(crate) fn fail(&self, id: SymbolId, error: &Error, caller: Addr) -> Addr {
        (self.on_failure)(id, error, caller)
    }

    /// Where a call of `id` goes, once it is compiled.
    pub(crate) fn code(&self, id: SymbolId) -> Result<Addr> {
        let (id, _) = self.linker.target(id)?;
        self.compile(id)?;
        let entry = self.linker.table.entry(id);
        match (entry.state(), entry.address()) {
            (State::Ready, address) if address != 0 => Ok(Addr(address)),
            _ => self.linker.stub_address(id),
        }
    }

    /// Sees to it that `id` is compiled, and waits for that.
    pub(crate) fn compile(&self, id: SymbolId) -> Result<()> {
        self.linker.table.check(id)?;
        match self.wait_for(id)? {
            State::Failed => Err(self.error(id)),
            _ => Ok(()),
        }
    }

    /// As [`Compiler::compile`], by this thread, unless another one is at it. What waits for a compile
    /// thread already is taken from it.
    pub(crate) fn compile_here(&self, id: SymbolId) -> Result<()> {
        self.turnstile.undisturbed(|| {
            let entry = self.linker.table.entry(id);
            let is_wanted =
                || entry.advance(Event::Request).is_some() || entry.state() == State::Queued;
            if !nesting::is_inside() && is_wanted() {
                self.run(id);
            }
        });
        self.compile(id)
    }

    pub(crate) fn error(&self, id: SymbolId) -> Error {
        let name = self.linker.table.name(id);
        let errors = self.errors.lock();
        errors.get(&id).cloned().unwrap_or_else(|| Error::undefined(name.clone(), None))
    }

    /// Waits until a symbol is compiled, or cannot be.
    ///
    /// # Errors
    ///
    /// This thread is compiling what that would wait for, or there is nobody to wait for.
    fn wait_for(&self, id: SymbolId) -> Result<State> {
        if nesting::is_inside() {
            return self.wait_within(id);
        }
        let entry = self.linker.table.entry(id);
        let mut began = None;
        if host::is_copied() {
            // Nobody would ever come.
            let name = self.linker.table.name(id);
            let what = "is called for the first time in a process that was made without fork";
            return Err(Error::other(format!("{name} {what}")));
        }
        loop {
            match entry.state() {
                State::Undefined | State::Defined => self.request(id),
                state @ (State::Queued | State::Compiling) => {
                    began.get_or_insert_with(Instant::now);
                    // In the child of a fork, what its parent had queued.
                    if self.threads.load(Ordering::SeqCst) == 0 {
                        self.uninterrupted(|| self.start_thread());
                    }
                    self.linker.waiters.wait(entry.word(), state as u32, self.look(state));
                }
                state => {
                    if let Some(began) = began {
                        let nanos = began.elapsed().as_nanos() as u64;
                        Counters::add(&self.linker.counters.wait_nanos, nanos);
                    }
                    return Ok(state);
                }
            }
        }
    }

    /// As [`Compiler::wait_for`], by a thread that is in a compile.
    fn wait_within(&self, id: SymbolId) -> Result<State> {
        let entry = self.linker.table.entry(id);
        loop {
            match entry.state() {
                State::Undefined | State::Defined => _ = entry.advance(Event::Request),
                State::Queued => nesting::within(id, || self.run(id)),
                state @ State::Compiling => {
                    let _waiting = self.nesting.wait(id, &self.linker.table.name(id))?;
                    self.linker.waiters.wait(entry.word(), state as u32, Duration::ZERO);
                }
                state => return Ok(state),
            }
        }
    }

    /// How long to look before sleeping: not at all where compile threads could use the processor.
    fn look(&self, state: State) -> Duration {
        let idle = self.idle.load(Ordering::Relaxed);
        let busy = self.threads.load(Ordering::Relaxed).saturating_sub(idle);
        match state {
            _ if busy >= host::processors() => Duration::ZERO,
            State::Queued => PICK_UP,
            _ => COMPILE,
        }
    }

    /// Queues a symbol, unless somebody else has.
    pub(crate) fn request(&self, id: SymbolId) {
        // To be uninterrupted costs two system calls.
        let is_left = self.linker.table.entry(id).state().after(Event::Request).is_some();
        if is_left && self.linker.table.has(id) {
            self.uninterrupted(|| self.push(id));
        }
    }

    /// Does something that neither a fork nor a handler of this thread's signals must see half done: they
    /// would wait for what is said to be queued, or a thread to be there, and is not.
    fn uninterrupted(&self, work: impl FnOnce()) {
        // With all signals blocked, the system ends the process rather than call the handler.
        host::touch_room();
        let signals = host::block_signals();
        self.turnstile.undisturbed(work);
        host::restore_signals(&signals);
    }

    fn push(&self, id: SymbolId) {
        let entry = self.linker.table.entry(id);
        if entry.advance(Event::Request).is_none() {
            return;
        }
        self.queue.push(&self.linker.table, id);
        self.pushes.fetch_add(1, Ordering::SeqCst);
        if self.idle.load(Ordering::SeqCst) > 0 {
            host::wake_one(&self.pushes);
        } else if self.threads.load(Ordering::SeqCst) == 0 {
            self.start_thread();
        }
    }

    /// Calls the resolver of an ifunc, on the thread that called the ifunc, and publishes what it
    /// gives. Two threads may both do so: resolvers give the same answer every time.
    fn resolve_indirect(&self, id: SymbolId, resolver: u64, began: u32) -> Addr {
        // SAFETY: the resolver's stub, which is never freed; an ifunc's resolver takes nothing
        // and returns an address (gABI's GNU extension).
        let address = unsafe {
            let resolver: extern "C" fn() -> u64 = std::mem::transmute(resolver as *const ());
            resolver()
        };
        // A redefinition that came meanwhile stays.
        self.linker.publish(id, address, began);
        Addr(address)
    }

    /// Starts a compile thread, unless there are enough.
    pub(crate) fn start_thread(&self) {
        let enough = |threads| (threads < self.most_threads).then_some(threads + 1);
        if self.threads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enough).is_err() {
            return;
        }
        // SAFETY: the gate is only opened by `new`, with an `Arc` that is alive while `self` is.
        let compiler = unsafe {
            Arc::increment_strong_count(self);
            Arc::from_raw(self)
        };
        let run = |compiler: &Self| {
            // Before anything else: what the program replaced would wait for a compile thread.
            interposition::use_originals();
            compiler.work();
        };
        let started = host::spawn(COMPILE_THREAD, STACK, compiler, run);
        if let Err(error) = started {
            self.threads.fetch_sub(1, Ordering::SeqCst);
            if self.threads.load(Ordering::SeqCst) == 0 {
                self.fail_queued(&format!("cannot start a compile thread: {error}"));
            }
        }
    }

    /// Fails all that waits: there is nobody to compile it.
    fn fail_queued(&self, why: &str) {
        while let Some((id, _)) = self.queue.take(&self.linker.table) {
            let entry = self.linker.table.entry(id);
            // Unless somebody does so here and now.
            if entry.advance(Event::Begin).is_some() {
                self.errors.lock().insert(id, Error::compile(self.linker.table.name(id), why));
                entry.advance(Event::Fail);
                self.linker.waiters.wake(entry.word());
            }
        }
    }

    fn work(&self) {
        loop {
            let pushes = self.pushes.load(Ordering::SeqCst);
            // No lock of ours is held outside: a child must not inherit one that nobody opens.
            let run = |id: &SymbolId| nesting::within(*id, || self.run(*id));
            let taken = self.turnstile.undisturbed(|| self.take().inspect(run));
            if taken.is_none() && !host::changes(&self.pushes, pushes, LOOK) {
                self.idle.fetch_add(1, Ordering::SeqCst);
                host::wait_for(&self.pushes, pushes, PATIENCE);
                self.idle.fetch_sub(1, Ordering::SeqCst);
                if self.pushes.load(Ordering::SeqCst) == pushes && self.is_done(pushes) {
                    return;
                }
            }
        }
    }

    /// Ends the calling thread's part, unless something was pushed since `pushes`: whoever pushes
    /// either finds that there is no thread, or is seen here.
    fn is_done(&self, pushes: u32) -> bool {
        self.threads.fetch_sub(1, Ordering::SeqCst);
        if self.pushes.load(Ordering::SeqCst) == pushes {
            return true;
        }
        self.threads.fetch_add(1, Ordering::SeqCst);
        false
    }

    fn take(&self) -> Option<SymbolId> {
        let (taken, is_more) = self.queue.take(&self.linker.table)?;
        if is_more {
            self.start_thread();
            if self.idle.load(Ordering::SeqCst) > 0 {
                host::wake_one(&self.pushes);
            }
        }
        Some(taken)
    }

    /// Compiles one symbol, if nobody has meanwhile.
    fn run(&self, id: SymbolId) {
        let entry = self.linker.table.entry(id);
        if entry.advance(Event::Begin).is_none() {
            return;
        }
        // What takes other threads' time is theirs to tell.
        let is_timed = nesting::is_inside();
        self.linker.materialize(id, is_timed, |error| {
            Counters::add(&self.linker.counters.functions_failed, 1);
            self.errors.lock().insert(id, error);
        });
    }

    /// After a fork, in the child, which has none of the compile threads.
    pub(crate) fn reopen_in_child(&self) {
        self.threads.store(0, Ordering::SeqCst);
        self.idle.store(0, Ordering::SeqCst);
        self.turnstile.reset();
        self.linker.waiters.forget();
    }
}
