//! The journal: what code was linked when, and what uses what.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::graph::{Compile, SectionKind};
use crate::listener::{Function, Linked, Listener};
use crate::symbol::{Addr, Name, SymbolId};
use crate::target::Term;

/// Remembers all code that is linked, and the uses of chosen symbols.
#[derive(Default)]
pub struct Journal {
    watched: Vec<Name>,
    records: Mutex<Vec<Record>>,
    uses: Mutex<Vec<Use>>,
}

/// A unit of code that was linked: a function, or several that go together.
#[derive(Clone, Debug)]
pub struct Record {
    /// The symbol whose definition it is.
    pub unit: SymbolId,
    /// The module it comes from.
    pub module: Arc<str>,
    /// Its functions.
    pub functions: Vec<Code>,
    /// Number of the thread that linked it, from 1.
    pub thread: u32,
    /// When and how it was compiled, if it was.
    pub compile: Option<Compile>,
    /// When it was linked, ready to be called.
    pub linked: Instant,
}

/// A function's code.
#[derive(Clone, Debug)]
pub struct Code {
    /// The session's symbol; none of a function that only its own graph can name.
    pub symbol: Option<SymbolId>,
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub address: Addr,
    /// Bytes of it.
    pub size: u64,
}

/// The use of a symbol by a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Use {
    /// The symbol used.
    pub used: SymbolId,
    /// The function or data that uses it.
    pub user: SymbolId,
    /// Call sites in code.
    pub calls: u32,
    /// Other references.
    pub references: u32,
}

impl Journal {
    /// A journal that also remembers the uses of symbols with these names.
    #[must_use]
    pub fn watching(names: Vec<Name>) -> Self {
        Self { watched: names, ..Self::default() }
    }

    /// What was linked so far, in the order of linking.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().clone()
    }

    /// The uses of watched symbols so far, in the order of linking.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        self.uses.lock().clone()
    }

    fn note_code(&self, event: &Linked<'_>) {
        let functions = event.functions();
        if functions.is_empty() {
            return;
        }
        let code = |function: Function<'_>| Code {
            symbol: function.symbol,
            name: function.name.clone(),
            address: function.address,
            size: function.size,
        };
        let record = Record {
            unit: event.unit,
            module: event.graph.name.clone(),
            functions: functions.into_iter().map(code).collect(),
            thread: thread_number(),
            compile: event.graph.compile.as_deref().copied(),
            linked: Instant::now(),
        };
        self.records.lock().push(record);
    }

    fn note_uses(&self, event: &Linked<'_>) {
        let graph = event.graph;
        let is_watched: Vec<_> =
            graph.symbols.iter().map(|symbol| self.watched.contains(&symbol.name)).collect();
        if !is_watched.contains(&true) {
            return;
        }
        let functions = event.functions();
        let mut found: BTreeMap<(SymbolId, SymbolId), Use> = BTreeMap::new();
        for (number, section) in graph.sections.iter().enumerate() {
            let Some(loaded) = event.sections[number] else { continue };
            for edge in section.edges.iter().filter(|edge| is_watched[edge.target]) {
                let Some(used) = event.symbols[edge.target].symbol else { continue };
                let place = loaded.address.offset(edge.offset.cast_signed());
                let within = |function: &&Function<'_>| {
                    place.0.wrapping_sub(function.address.0) < function.size
                };
                let function = functions.iter().find(within).and_then(|function| function.symbol);
                let user = function.unwrap_or(event.unit);
                let fresh = Use { used, user, calls: 0, references: 0 };
                let counts = found.entry((used, user)).or_insert(fresh);
                let term = graph.isa.edge(edge.kind.0).map(|row| row.term);
                match (term, section.kind) {
                    (Some(Term::Call), SectionKind::Code) => counts.calls += 1,
                    _ => counts.references += 1,
                }
            }
        }
        self.uses.lock().extend(found.into_values());
    }
}

impl Listener for Journal {
    fn linked(&self, event: &Linked<'_>) {
        self.note_code(event);
        if !self.watched.is_empty() {
            self.note_uses(event);
        }
    }
}

/// A number for this thread, which the system's would be less handy for.
fn thread_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}
