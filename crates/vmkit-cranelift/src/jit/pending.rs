//! What was defined and is not finalized.

use std::collections::VecDeque;

use vmkit::{Result, Session, State, SymbolId};

/// The code of so many functions is linked together: a compile drives what links out of the processor's
/// caches, and what compiles is back there at once.
const TOGETHER: usize = 16;
/// Functions of so many instructions are compiled sooner than a compile thread is there.
const LITTLE: usize = 256;
/// So many functions wait for compile threads at most, so that they have enough to do for a while, and what
/// waits takes little memory.
const MOST_WAITING: usize = 256;
/// What is left for the end is worth more threads if there is more of it.
const FEW: usize = 16;

/// Functions that were defined and are not finalized, each with its place among them.
#[derive(Default)]
pub(super) struct Pending {
    /// How many were defined.
    count: u32,
    /// Their instructions, as far as that has mattered.
    instructions: usize,
    /// Those whose code is there, to be linked with others'.
    compiled: Vec<Pended>,
    /// Those that compile threads are to compile.
    requested: VecDeque<Pended>,
    /// Those that may need what is not defined yet, and those that could not be linked.
    left: Vec<Pended>,
}

type Pended = (u32, SymbolId);

/// What a function waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Its code is to be linked.
    Compiled,
    /// Compile threads are to compile it.
    Requested,
    /// All it names is to be defined.
    Left,
}

impl Pending {
    /// Is a function of so many instructions to be compiled by who defines it: are there few, or do compile
    /// threads have enough to do?
    pub(super) fn is_definers(&mut self, session: &Session, instructions: usize) -> bool {
        self.instructions += instructions;
        if self.instructions < LITTLE {
            return true;
        }
        while let Some(&(place, id)) = self.requested.front() {
            match session.state(id) {
                State::Queued | State::Compiling => break,
                State::Ready => {}
                _ => self.left.push((place, id)),
            }
            self.requested.pop_front();
        }
        self.requested.len() >= MOST_WAITING
    }

    /// Adds a function.
    pub(super) fn push(&mut self, session: &Session, id: SymbolId, waits: Waits) {
        let pended = (self.count, id);
        self.count += 1;
        match waits {
            Waits::Left => self.left.push(pended),
            Waits::Requested => {
                session.request(id);
                self.requested.push_back(pended);
            }
            Waits::Compiled => {
                self.compiled.push(pended);
                if self.compiled.len() >= TOGETHER {
                    self.link(session);
                }
            }
        }
    }

    /// Links the code that is there.
    fn link(&mut self, session: &Session) {
        for (place, id) in self.compiled.drain(..) {
            if !has_code(session, id) {
                self.left.push((place, id));
            }
        }
    }

    /// Has the code of all of them linked, by compile threads as well if they `help`.
    ///
    /// # Errors
    ///
    /// Code that cannot be linked, or compiled; of several, what was defined first.
    pub(super) fn finalize(&mut self, session: &Session, help: bool) -> Result<()> {
        self.link(session);
        let Self { requested, mut left, .. } = std::mem::take(self);
        if help && left.len() > FEW {
            let is_left = |(_, id): &&Pended| session.state(*id) == State::Defined;
            left.iter().filter(is_left).for_each(|&(_, id)| session.request(id));
        }
        left.extend(requested);
        left.sort_unstable();
        let mut result = Ok(());
        // From the end: compile threads begin with what was defined first.
        for (_, id) in left.into_iter().rev() {
            // Some were removed.
            if session.state(id) != State::Undefined {
                result = session.compile_here(id).and(result);
            }
        }
        result
    }
}

/// Links a function whose code is there, unless it was removed; tells whether that was done.
fn has_code(session: &Session, id: SymbolId) -> bool {
    session.state(id) == State::Undefined || session.compile_here(id).is_ok()
}
