//! What was asked to be told of a run: `--trace`, `--explain`, `--perf`, `--gdb`.

use std::path::PathBuf;
use std::sync::Arc;

use vmkit::debug::{Gdb, Journal, PerfMap};
use vmkit::{Builder, Error, LoadedObject, Name, Result, Session};
use vmkit_llvm::Llvm;

use crate::caller::Roots;
use crate::explain::Knowledge;
use crate::options::Run;
use crate::trace;

/// The listeners of a run, and what they are to say at its end.
pub(crate) struct Watch {
    journal: Option<Arc<Journal>>,
    trace: Option<PathBuf>,
    explained: Vec<String>,
    objects: Vec<LoadedObject>,
    /// The process that was asked; those that it forks are not.
    process: u32,
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
        let trace = options.trace.as_ref().map(file).transpose()?;
        let process = std::process::id();
        Ok((Self { journal, trace, explained, objects: Vec::new(), process }, builder))
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
        if std::process::id() != self.process {
            return;
        }
        if let Some(file) = &self.trace
            && let Err(error) = std::fs::write(file, trace::json(session, journal, roots))
        {
            eprintln!("vmkit: {}: {error}", file.display());
        }
        let knowledge = Knowledge { session, llvm, objects: &self.objects, journal, roots };
        for name in &self.explained {
            eprint!("{}", knowledge.explain(name));
        }
    }
}

/// A file to write at the end, wherever the program goes meanwhile. That it cannot be written is
/// told now.
fn file(name: &String) -> Result<PathBuf> {
    let fail = |error| Error::input(name.as_str(), error);
    std::fs::File::create(name).map_err(fail)?;
    std::path::absolute(name).map_err(fail)
}
