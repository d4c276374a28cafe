//! `fork`: the child gets code memory of its own, and compile threads when it needs them.
#![expect(unsafe_code, reason = "pthread_atfork")]

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use crate::compile::Compiler;

/// The sessions of this process, and the copies made for a child being forked. Global because the
/// system's hook is.
static SESSIONS: Mutex<Vec<Weak<Compiler>>> = Mutex::new(Vec::new());
static COPIES: Mutex<Vec<(Arc<Compiler>, File)>> = Mutex::new(Vec::new());

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
    let sessions: Vec<_> = lock(&SESSIONS).iter().filter_map(Weak::upgrade).collect();
    let mut copies = lock(&COPIES);
    for compiler in sessions {
        compiler.close();
        match compiler.linker.memory.snapshot() {
            Ok(copy) => copies.push((compiler, copy)),
            Err(error) => fail(&error),
        }
    }
}

unsafe extern "C" fn in_parent() {
    for (compiler, _) in lock(&COPIES).drain(..) {
        compiler.open();
    }
}

unsafe extern "C" fn in_child() {
    for (compiler, copy) in lock(&COPIES).drain(..) {
        if let Err(error) = compiler.linker.memory.adopt(&copy) {
            fail(&error);
        }
        compiler.reopen_in_child();
    }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Going on would let parent and child write into each other's code.
fn fail(error: &crate::Error) -> ! {
    eprintln!("vmkit: cannot fork: {error}");
    std::process::abort()
}
