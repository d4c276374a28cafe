//! Modules are read, and what they define becomes the session's.

use std::sync::Arc;

use vmkit::graph::{Binding, Place};
use vmkit::{Descriptor, Error, KeptSource, Name, Result, ScopeId, Source, SymbolKind, Unit};

use crate::adding::{Adding, Others};
use crate::ffi::{self, Index};
use crate::llvm::Llvm;
use crate::loaded::Loaded;
use crate::module::{ASSEMBLY, Module};
use crate::split::MAGIC;

impl Llvm {
    /// Adds a module; the rules of linkage decide between it and others.
    pub(crate) fn load(&self, home: ScopeId, name: &str, input: Vec<u8>) -> Result<Loaded> {
        let number = self.give(home, name, input)?;
        self.load_given(home, name, number)
    }

    /// Gives a module to the pool; the pool's number of it.
    pub(crate) fn give(&self, home: ScopeId, name: &str, input: Vec<u8>) -> Result<usize> {
        self.check_scope(home)?;
        let bitcode = match is_bitcode(&input) && !names_coroutines(&input) {
            true => input,
            false => self.pool.normalize(name, &input)?,
        };
        Ok(self.pool.add(name.into(), bitcode))
    }

    /// The names that bitcode would define for others if it were added; `name` is for messages. An
    /// archive's index may lack them ([`Archive::unlisted`](vmkit::Archive::unlisted)).
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn defined_names(&self, name: &str, bitcode: &[u8]) -> Result<Vec<Name>> {
        self.pool.defined_names(name, bitcode)
    }

    /// As [`Llvm::load`], of a module that the pool has.
    pub(crate) fn load_given(&self, home: ScopeId, name: &str, number: usize) -> Result<Loaded> {
        let define = |module: &Module, index: &Index<'_>| {
            let (session, scope, others) = (&self.session, module.scope(), Others::Compete);
            let adding = Adding { session, scope, home, index, others };
            Ok((adding.run()?, index.has_asm))
        };
        let (module, loaded) =
            self.enter(home, name, number, define, |module, (loaded, has_asm)| {
                if has_asm {
                    module.assemble()?;
                    self.define_assembly(module)?;
                }
                Ok(loaded)
            })?;
        self.modules.push(&module);
        Ok(loaded)
    }

    /// Makes a module that the pool has one of the session's: `look` sees what stands in it, `finish` is
    /// called when the worker that read it is free again. If either fails, nothing of it stays.
    pub(crate) fn enter<T, R>(
        &self,
        home: ScopeId,
        name: &str,
        number: usize,
        look: impl FnOnce(&Module, &Index<'_>) -> Result<T>,
        finish: impl FnOnce(&Arc<Module>, T) -> Result<R>,
    ) -> Result<(Arc<Module>, R)> {
        let mut entered = None;
        let read = self.pool.read(name, number, |number, index| {
            let module = Module::new((&self.pool, &self.clocks), name.into(), home, number, index);
            let source: Arc<dyn Source> = module.clone();
            let scope = self.session.add_source_in(home, source.clone());
            module.set_scope(scope);
            let kept = self.session.keep_source(scope, &source);
            let (module, _) = entered.insert((module, kept));
            look(module, index)
        });
        let Some((module, kept)) = entered else {
            return Err(read.err().unwrap_or_else(|| Error::other("nothing was read")));
        };
        let finished = read.and_then(|read| finish(&module, read));
        if finished.is_err() {
            kept.into_iter().for_each(KeptSource::withdraw);
        }
        Ok((module, finished?))
    }

    /// Tells the session what a module's assembly defines.
    pub(crate) fn define_assembly(&self, module: &Module) -> Result<()> {
        let Some(assembly) = module.assembly.get() else { return Ok(()) };
        let scope = module.scope();
        for symbol in &assembly.graph.symbols {
            let Binding::Global(linkage) = symbol.binding else { continue };
            let kind = symbol.kind.unwrap_or(SymbolKind::Data);
            let descriptor = Descriptor {
                linkage,
                visibility: symbol.visibility,
                ..Descriptor::strong(symbol.name.clone(), kind)
            };
            if symbol.place != Place::Undefined {
                self.session.define(&descriptor, scope, ASSEMBLY, Unit::Whole)?;
            }
        }
        Ok(())
    }
}

/// Are there coroutines that may not be split yet? Names stand in bitcode as they are.
fn names_coroutines(bitcode: &[u8]) -> bool {
    memchr::memmem::find(bitcode, b"llvm.coro.").is_some()
}

/// Do these bytes begin as bitcode does: with `BC` 0xC0DE, or with the wrapper's magic number?
#[must_use]
pub fn is_bitcode(input: &[u8]) -> bool {
    input.starts_with(MAGIC) || input.starts_with(&0x0b17_c0de_u32.to_le_bytes())
}

/// The names of functions that generated code may call though no module names them: parts of the compilers'
/// runtime libraries (`__truncsfbf2`), and of the C library.
#[must_use]
pub fn runtime_functions() -> Vec<Name> {
    ffi::runtime_functions()
}
