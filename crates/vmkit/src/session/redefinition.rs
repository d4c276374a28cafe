//! Other definitions for symbols, and what becomes of the old ones.

use super::Session;
use crate::code::CodeMap;
use crate::definition::{Definition, Unit};
use crate::error::Result;
use crate::link::{Change, Why};
use crate::patch;
use crate::reclaim::Reader;
use crate::safepoint::{Stopped, whole};
use crate::symbol::{Addr, Binding, Name, ScopeId, SymbolId};
use crate::walk::End;

impl Session {
    /// Gives a function another definition: what the module with this scope defines under `key`. It
    /// is compiled at the next call. Every call that starts after this has returned, on any thread,
    /// runs it; frames that are on the stack finish in the old code.
    ///
    /// What inlined another body of the function than the new one is compiled anew as well.
    ///
    /// # Errors
    ///
    /// The symbol is an alias, data, or of an object that was linked as a whole.
    pub fn redefine(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        self.change(id, Some(Definition::Module { scope, key, unit: Unit::Lazy }))
    }

    /// As [`Session::redefine`], but the new definition is compiled first: no call waits for it, and
    /// if it cannot be compiled, everything stays as it is.
    ///
    /// # Errors
    ///
    /// As for [`Session::redefine`], and what the compiler says.
    pub fn redefine_compiled(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        let definition = Definition::Module { scope, key, unit: Unit::Lazy };
        self.compiler.turnstile.undisturbed(|| self.linker().redefine_compiled(id, definition))
    }

    /// Gives data another definition: what the module with this scope defines under `key`. It is
    /// linked first, at another place: code that names the data is compiled anew at its next call,
    /// and what other data was initialized to point to it points to the new place, unless the
    /// program has changed it. Whoever else holds a pointer sees the old data, which stays until
    /// [`Session::retire_replaced`].
    ///
    /// # Errors
    ///
    /// The symbol is not data, or the new data cannot be linked: then everything stays as it is.
    pub fn redefine_data(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        self.redefine_together(&[Change::Data(id, scope, key)])
    }

    /// Makes several changes: all of them or, if one cannot be made, none.
    ///
    /// What can fail is done first: new names are defined in their order, and data is linked, so names that
    /// it needs come before it. Then functions get their definitions, one after the other. Calls that
    /// start after this has returned run all the new ones; a call meanwhile may run a new function
    /// that calls an old one, or sees old data. After an error everything is as it was before, also for
    /// code that was compiled meanwhile; what that has stored in new data is lost.
    ///
    /// # Errors
    ///
    /// As for the method that makes each change alone.
    pub fn redefine_together(&self, changes: &[Change]) -> Result<()> {
        self.compiler.turnstile.undisturbed(|| self.linker().redefine_together(changes))
    }

    /// Gives a function another definition: whatever is at `address`.
    ///
    /// # Safety
    ///
    /// There is a function that can be called as the old one, for as long as it is.
    ///
    /// # Errors
    ///
    /// As for [`Session::redefine`].
    #[expect(unsafe_code, reason = "the caller vouches for the function")]
    pub unsafe fn redefine_native(&self, id: SymbolId, address: Addr) -> Result<()> {
        self.change(id, Some(Definition::Absolute(address)))
    }

    /// Takes a function's definition away: calls of it are undefined from now on, and go to the
    /// failure hook, until somebody defines it again.
    ///
    /// # Errors
    ///
    /// As for [`Session::redefine`].
    pub fn remove(&self, id: SymbolId) -> Result<()> {
        self.change(id, None)
    }

    fn change(&self, id: SymbolId, definition: Option<Definition>) -> Result<()> {
        self.compiler.turnstile.undisturbed(|| self.linker().redefine(id, definition))
    }

    /// An assumption that code can be compiled under, known by its text: a compiler lists it among its
    /// graph's [dependencies](crate::graph::LinkGraph::dependencies).
    #[must_use]
    pub fn assumption(&self, text: &str) -> SymbolId {
        self.linker().table.symbol(ScopeId::ASSUMPTIONS, &Name::from(text))
    }

    /// Says that an assumption does not hold any more, or that the code of whatever relied on any
    /// other symbol's body is outdated. That code is compiled anew at its next call.
    pub fn invalidate(&self, id: SymbolId) {
        if self.has(id) {
            self.compiler.turnstile.undisturbed(|| self.linker().invalidate(id));
        }
    }

    /// The session's time: it goes on with every redefinition and every invalidation.
    #[must_use]
    pub fn time(&self) -> u32 {
        self.linker().table.now()
    }

    /// Was a symbol redefined, or an assumption invalidated, after a [time](Session::time)? What was
    /// made before of it, and kept, is outdated then.
    #[must_use]
    pub fn has_changed(&self, id: SymbolId, since: u32) -> bool {
        self.linker().has_changed(id, since)
    }

    /// What a function's code relies on, and because of what it was outdated.
    #[must_use]
    pub fn why(&self, id: SymbolId) -> Why {
        self.linker().why(id)
    }

    /// How calls reach a function from now on.
    pub fn set_binding(&self, id: SymbolId, binding: Binding) {
        if self.has(id) {
            self.compiler.turnstile.undisturbed(|| self.linker().set_binding(id, binding));
        }
    }

    /// Has a patch point call a function from now on, whatever it is redefined to, or do nothing if
    /// none is given. When this has returned, every thread that comes there does so.
    ///
    /// # Safety
    ///
    /// `at` is the start of the bytes that the compiler has reserved there (LLVM's patch point, say), five
    /// on x86-64 and four on AArch64,
    /// in code that is not freed, and the call is right there.
    ///
    /// # Errors
    ///
    /// The bytes cross a cache line, hold something else than a call or a nop, or memory is
    /// short.
    #[expect(unsafe_code, reason = "the caller vouches for the place")]
    pub unsafe fn patch(&self, at: Addr, function: Option<SymbolId>) -> Result<()> {
        let linker = self.linker();
        let target = function.map(|function| linker.target(function)).transpose()?;
        let stub = target.map(|(id, _)| linker.stub_address(id)).transpose()?;
        // SAFETY: the caller's promise.
        self.compiler
            .turnstile
            .undisturbed(|| unsafe { patch::set_point(&linker.memory, at, stub) })
    }

    /// Has everything freed, when code is next reclaimed, that other definitions took the place of and
    /// that only old code names: the places where data was before it was redefined, and what is private
    /// to modules of which nothing else is in use. What old code that is not freed yet may still use
    /// stays until the next time. A machine that redefines data or whole modules again and again calls
    /// this before it [reclaims](Session::reclaim), or its memory grows.
    ///
    /// # Safety
    ///
    /// Nothing points to former places of data, or to private data and functions of modules that were
    /// replaced, but such data itself, old code, and what readers (or whoever reclaims) know of: the
    /// program has stored no such pointer elsewhere. Symbols of what is private to such modules are
    /// not used any more.
    #[expect(unsafe_code, reason = "the caller knows who points to data")]
    pub unsafe fn retire_replaced(&self) {
        self.compiler.turnstile.undisturbed(|| self.linker().retire_replaced());
    }

    /// Says that this thread will run code of the session, of which old code is freed.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.linker().retired.reader()
    }

    /// Frees code that nobody calls any more and that no [`Reader`] can be in; how many functions' it
    /// was.
    ///
    /// # Safety
    ///
    /// Every thread that runs code of this session does so only while it holds a
    /// [`Reading`](crate::Reading) of it.
    #[expect(unsafe_code, reason = "the caller knows who runs code")]
    pub unsafe fn reclaim(&self) -> usize {
        self.compiler.turnstile.undisturbed(|| {
            // SAFETY: the caller's promise.
            unsafe { self.linker().reclaim() }
        })
    }

    /// Frees code that nobody calls any more and of which `is_free` says so, given the function and
    /// where its code is (start and bytes); how many functions' it was.
    ///
    /// # Safety
    ///
    /// No thread is in what is free, or will return there: the caller has looked through all stacks,
    /// say.
    #[expect(unsafe_code, reason = "the caller knows who runs code")]
    pub unsafe fn reclaim_where(
        &self,
        is_free: impl FnMut(SymbolId, &[(Addr, u64)]) -> bool,
    ) -> usize {
        self.compiler.turnstile.undisturbed(|| {
            // SAFETY: the caller's promise.
            unsafe { self.linker().reclaim_where(is_free) }
        })
    }

    /// Frees code that nobody calls any more and that no thread is in or returns to, by the frames of
    /// threads that stand still; how many functions' it was.
    ///
    /// # Errors
    ///
    /// A frame cannot be walked; nothing is freed.
    ///
    /// # Safety
    ///
    /// `stopped` are all threads that run code of the session, and `map` was told of it.
    #[expect(unsafe_code, reason = "the caller knows who runs code")]
    pub unsafe fn reclaim_stopped(
        &self,
        stopped: &[Stopped<'_>],
        map: &CodeMap,
    ) -> std::result::Result<usize, End> {
        let mut places = Vec::new();
        for thread in stopped {
            // SAFETY: the caller's promise.
            let Some(mut frames) = (unsafe { thread.frames(map) }) else { continue };
            places.extend(frames.by_ref().map(|frame| frame.address()));
            whole(frames.end())?;
        }
        places.sort_unstable();
        let is_empty = |&(start, len): &(Addr, u64)| {
            let next = places.partition_point(|&place| place < start.0);
            places.get(next).is_none_or(|&place| place >= start.0 + len)
        };
        // SAFETY: all frames of the session's code were looked at.
        Ok(unsafe { self.reclaim_where(|_, code| code.iter().all(is_empty)) })
    }
}
