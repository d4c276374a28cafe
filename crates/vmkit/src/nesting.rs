//! Compiles within compiles: a source, a resolver or a listener that wants another function's code.
//!
//! The thread compiles that one itself, for it might be the last of the compile threads. What would
//! wait for itself, be it through other threads, is told so.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::symbol::{Name, SymbolId};

thread_local! {
    /// How many symbols this thread is compiling; a first call anywhere may look at it.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// These symbols, the outermost first. Holds no memory while there are none, and is never dropped: the
    /// C library takes the dynamic linker's lock to note what a thread has to drop, and somebody may hold
    /// that lock who waits for this thread.
    static STACK: ManuallyDrop<RefCell<Vec<SymbolId>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Those who are in a compile and wait for another thread's: what they compile, and what they want.
#[derive(Default)]
pub(crate) struct Nesting(Mutex<Vec<(Vec<SymbolId>, SymbolId)>>);

/// While it lives, this thread waits for another one's compile.
pub(crate) struct Waiting<'a>(&'a Nesting, Vec<SymbolId>);

/// While it lives, this thread compiles a symbol.
struct Compiling;

impl Drop for Compiling {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        STACK.with(|stack| {
            let mut stack = stack.borrow_mut();
            stack.pop();
            if stack.is_empty() {
                drop(std::mem::take(&mut *stack));
            }
        });
    }
}

/// Compiles a symbol, on a thread that can compile what `compile` wants meanwhile. Compile threads can:
/// they take no signals, whose handlers might make first calls in the midst of anything.
pub(crate) fn within<T>(id: SymbolId, compile: impl FnOnce() -> T) -> T {
    STACK.with(|stack| stack.borrow_mut().push(id));
    DEPTH.set(DEPTH.get() + 1);
    let _compiling = Compiling;
    compile()
}

/// Is this thread compiling something?
pub(crate) fn is_inside() -> bool {
    DEPTH.get() > 0
}

impl Nesting {
    /// This thread, which compiles something, is about to wait for `id`, of this name.
    ///
    /// # Errors
    ///
    /// `id` is compiled by this thread, or by one that waits for it.
    pub(crate) fn wait(&self, id: SymbolId, name: &Name) -> Result<Waiting<'_>> {
        let own = STACK.with(|stack| stack.borrow().clone());
        let mut waiting = self.0.lock();
        let mut wanted = id;
        while !own.contains(&wanted) {
            let Some((_, next)) = waiting.iter().find(|(stack, _)| stack.contains(&wanted)) else {
                waiting.push((own.clone(), id));
                return Ok(Waiting(self, own));
            };
            wanted = *next;
        }
        Err(Error::compile(name.clone(), "what compiles it wants its code to go on"))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.0.lock();
        if let Some(at) = waiting.iter().position(|(stack, _)| *stack == self.1) {
            waiting.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found() {
        let nesting = Nesting::default();
        let name = Name::from("f");
        let wait = |own: &[u32], wanted: u32| {
            fn inside<T>(own: &[u32], work: impl FnOnce() -> T) -> T {
                match own {
                    [first, rest @ ..] => within(SymbolId(*first), || inside(rest, work)),
                    [] => work(),
                }
            }
            inside(own, || nesting.wait(SymbolId(wanted), &name))
        };
        assert!(wait(&[1], 1).is_err());
        assert!(wait(&[1, 2, 3], 2).is_err());
        let first = wait(&[1, 2], 3).unwrap();
        let second = wait(&[3], 4).unwrap();
        assert!(wait(&[4, 5], 2).is_err());
        let third = wait(&[6], 2).unwrap();
        drop(second);
        assert!(wait(&[4, 5], 2).is_ok());
        drop((first, third));
        assert!(nesting.0.lock().is_empty() && !is_inside());
    }
}
