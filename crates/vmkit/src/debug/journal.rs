//! The journal: what was compiled when, and what uses what.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::graph::{Compile, SectionKind};
use crate::listener::{Linked, Listener};
use crate::symbol::{Addr, Name, SymbolId};
use crate::target::{Formula, native};

/// Remembers every compile, and the uses of chosen symbols.
#[derive(Default)]
pub struct Journal {
    watched: Vec<Name>,
    compiles: Mutex<Vec<Compiled>>,
    uses: Mutex<Vec<Use>>,
}

/// A unit that was compiled and linked: a function, or several that go together.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The symbol whose definition it is.
    pub unit: SymbolId,
    /// The module it comes from.
    pub module: std::sync::Arc<str>,
    /// Its functions.
    pub functions: Vec<Code>,
    /// Number of the thread that did it, from 1.
    pub thread: u32,
    /// When and how it was compiled.
    pub compile: Compile,
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
    /// Whose code or data uses it.
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

    /// The compiles so far, in the order of their ends.
    #[must_use]
    pub fn compiles(&self) -> Vec<Compiled> {
        self.compiles.lock().clone()
    }

    /// The uses of watched symbols so far, in the order of linking.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        self.uses.lock().clone()
    }

    fn note_compile(&self, event: &Linked<'_>, compile: Compile) {
        let code = |function: crate::listener::Function<'_>| Code {
            symbol: function.symbol,
            name: function.name.clone(),
            address: function.address,
            size: function.size,
        };
        let compiled = Compiled {
            unit: event.unit,
            module: event.graph.name.clone(),
            functions: event.functions().into_iter().map(code).collect(),
            thread: thread_number(),
            compile,
            linked: Instant::now(),
        };
        self.compiles.lock().push(compiled);
    }

    fn note_uses(&self, event: &Linked<'_>) {
        let mut found: BTreeMap<SymbolId, Use> = BTreeMap::new();
        for section in event.graph.sections.iter().filter(|section| section.kind.is_loaded()) {
            for edge in &section.edges {
                let Some(used) = event.symbols[edge.target].symbol else { continue };
                if !self.watched.contains(&event.graph.symbols[edge.target].name) {
                    continue;
                }
                let fresh = Use { used, user: event.unit, calls: 0, references: 0 };
                let counts = found.entry(used).or_insert(fresh);
                let is_call = native::edge(edge.kind.0)
                    .is_some_and(|row| row.formula == Formula::Call && section.kind == SectionKind::Code);
                *(if is_call { &mut counts.calls } else { &mut counts.references }) += 1;
            }
        }
        self.uses.lock().extend(found.into_values());
    }
}

impl Listener for Journal {
    fn linked(&self, event: &Linked<'_>) {
        if let Some(compile) = event.graph.compile {
            self.note_compile(event, compile);
        }
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
