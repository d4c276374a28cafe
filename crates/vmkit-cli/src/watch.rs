//! What was asked to be told of a run: `--trace`, `--explain`, `--perf`, `--gdb`.

use std::sync::Arc;

use vmkit::debug::{Gdb, Journal, PerfMap};
use vmkit::{Builder, LoadedObject, Name, Result, Session};
use vmkit_llvm::Llvm;

use crate::caller::Roots;
use crate::explain::Knowledge;
use crate::options::Run;
use crate::output::{Output, say};
use crate::trace;

/// The listeners of a run, and what they are to say at its end.
pub(crate) struct Watch {
    journal: Option<Arc<Journal>>,
    trace: Option<Output>,
    explained: Vec<String>,
    objects: Vec<LoadedObject>,
}

impl Watch {
    /// Makes the listeners that `options` ask for, and has them listen.
    pub(crate) fn new(options: &Run, mut builder: Builder) -> Result<(Self, Builder)> {
        let explained = options.explain.clone();
        let names: Vec<_> = explained.iter().map(|name| Name::from(name.as_str())).collect();
        let is_told = options.trace.is_some() || !names.is_empty();
        let journal = is_told.then(|| Arc::new(Journal::watching(names)));
        if let Some(journal) = &journal {
            builder = builder.listener(journal.clone());
        }
        if options.perf {
            builder = builder.listener(Arc::new(PerfMap::create()?));
        }
        if options.gdb {
            builder = builder.breakpoints(true).listener(Arc::new(Gdb::new()));
        }
        let trace = options.trace.as_deref().map(Output::new).transpose()?;
        Ok((Self { journal, trace, explained, objects: Vec::new() }, builder))
    }

    /// Remembers what objects there are, should it be asked for at the end.
    pub(crate) fn objects(&mut self, objects: Vec<LoadedObject>) {
        if !self.explained.is_empty() {
            self.objects = objects;
        }
    }

    /// Says at the end of the run what was asked for.
    pub(crate) fn report(&self, session: &Session, llvm: &Llvm, roots: &Roots) {
        let Some(journal) = &self.journal else { return };
        if let Some(trace) = &self.trace {
            trace.write(&trace::json(session, journal, roots));
        }
        let knowledge = Knowledge { session, llvm, objects: &self.objects, journal, roots };
        for name in &self.explained {
            say(&knowledge.explain(name));
        }
    }
}
