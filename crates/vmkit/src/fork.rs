//! `fork`: the child gets code memory of its own, and compile threads when it needs them.
#![expect(unsafe_code, reason = "pthread_atfork")]

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use crate::compile::Compiler;
use crate::error::Error;
use crate::host;
use crate::memory::Object;

/// The sessions of this process: global because the system's hook is.
static SESSIONS: Mutex<Vec<Weak<Compiler>>> = Mutex::new(Vec::new());

/// A fork under way: sessions stand still, with a copy of their code memory for the child, and
/// no signal handler of the program can want a compile from them.
struct Fork {
    stopped: Vec<(Arc<Compiler>, Object)>,
    signals: host::SignalMask,
    /// One fork at a time.
    _turn: MutexGuard<'static, ()>,
}

thread_local! {
    static FORK: RefCell<Option<Fork>> = const { RefCell::new(None) };
}

/// Sees to it that `compiler` survives a fork.
pub(crate) fn register(compiler: &Arc<Compiler>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        host::note_process();
        // SAFETY: the handlers take nothing and do only what a fork allows.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
    let mut sessions = lock(&SESSIONS);
    sessions.retain(|session| session.strong_count() > 0);
    sessions.push(Arc::downgrade(compiler));
}

/// To be called before this thread makes a process that is a copy of this one, if it does so without
/// `fork`, whose handlers do it: sessions stand still until one of the following is called.
pub fn before_fork() {
    static TURN: Mutex<()> = Mutex::new(());
    let signals = host::block_signals();
    let turn = lock(&TURN);
    let sessions: Vec<_> = lock(&SESSIONS).iter().filter_map(Weak::upgrade).collect();
    let mut stopped = Vec::with_capacity(sessions.len());
    for compiler in sessions {
        compiler.turnstile.close();
        match compiler.linker.memory.snapshot() {
            Ok(copy) => stopped.push((compiler, copy)),
            Err(error) => fail(&error),
        }
    }
    FORK.set(Some(Fork { stopped, signals, _turn: turn }));
}

unsafe extern "C" fn before() {
    before_fork();
}

unsafe extern "C" fn in_parent() {
    after_fork_in_parent();
}

unsafe extern "C" fn in_child() {
    // SAFETY: the C library calls this in the child only.
    unsafe { after_fork_in_child() };
}

/// To be called after [`before_fork`], by the same thread, there being another process or not.
pub fn after_fork_in_parent() {
    let Some(fork) = FORK.take() else { return };
    for (compiler, _) in &fork.stopped {
        compiler.turnstile.open();
    }
    finish(fork);
}

/// To be called after [`before_fork`] in the new process.
///
/// # Safety
///
/// This is that process: it shares no memory with the other, and has no thread but this one.
pub unsafe fn after_fork_in_child() {
    let Some(fork) = FORK.take() else { return };
    host::note_process();
    for (compiler, copy) in &fork.stopped {
        if let Err(error) = compiler.linker.memory.adopt(copy) {
            fail(&error);
        }
        compiler.reopen_in_child();
        compiler.linker.tell_forked();
    }
    finish(fork);
}

/// Lets go of everything, signals last.
fn finish(fork: Fork) {
    let signals = fork.signals;
    drop(fork);
    host::restore_signals(&signals);
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Going on would let parent and child write into each other's code.
fn fail(error: &Error) -> ! {
    eprintln!("vmkit: cannot fork: {error}");
    std::process::abort()
}
