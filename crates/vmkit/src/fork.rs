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
        // SAFETY: the handlers take nothing and do only what a fork allows.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
    let mut sessions = lock(&SESSIONS);
    sessions.retain(|session| session.strong_count() > 0);
    sessions.push(Arc::downgrade(compiler));
}

unsafe extern "C" fn before() {
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

unsafe extern "C" fn in_parent() {
    let Some(fork) = FORK.take() else { return };
    for (compiler, _) in &fork.stopped {
        compiler.turnstile.open();
    }
    finish(fork);
}

unsafe extern "C" fn in_child() {
    let Some(fork) = FORK.take() else { return };
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
