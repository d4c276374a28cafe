//! `--explain`: what is known of a name, in words.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::Duration;

use vmkit::debug::{Compiled, Journal};
use vmkit::{Definer, Explanation, Name, Session, State, SymbolId, SymbolKind};
use vmkit_llvm::Llvm;

use crate::caller::{Roots, caller};

/// Everything known of all symbols called `name`.
pub(crate) fn text(
    session: &Session,
    llvm: &Llvm,
    journal: &Journal,
    roots: &Roots,
    name: &str,
) -> String {
    // Modules tell of their private definitions only when asked.
    drop(llvm.private_symbols(&Name::from(name)));
    let symbols = session.symbols_named(&Name::from(name));
    if symbols.is_empty() {
        return format!("{name}: no module defines or uses a symbol of this name\n");
    }
    let one = |id| {
        let known = session.explain(id);
        Account { session, journal, roots, id, known, text: String::new() }.write()
    };
    symbols.into_iter().map(one).collect()
}

/// What is told of one symbol.
struct Account<'a> {
    session: &'a Session,
    journal: &'a Journal,
    roots: &'a Roots,
    id: SymbolId,
    known: Explanation,
    text: String,
}

/// Uses of a symbol in one definition.
#[derive(Default)]
struct Uses {
    calls: usize,
    bound: usize,
    references: usize,
}

impl Account<'_> {
    fn write(mut self) -> String {
        let what = match (&self.known.module, kind(self.known.kind)) {
            (Some(module), kind) => format!("{kind} private to {module}"),
            (None, kind) => kind.into(),
        };
        self.text = format!("{} ({what})\n", self.known.name);
        self.line("defined", self.definer());
        self.line("state", self.state());
        self.code();
        self.first_call();
        self.compile();
        self.uses();
        self.text
    }

    fn line(&mut self, label: &str, what: impl Display) {
        writeln!(self.text, "  {label:<11} {what}").expect("a string takes any text");
    }

    fn definer(&self) -> String {
        let name = |id| self.session.name(id);
        match &self.known.definer {
            None if self.known.state == State::Failed => "by nobody".into(),
            None => "by nobody, as far as anybody has asked".into(),
            Some(Definer::Module(module)) => format!("in {module}"),
            Some(Definer::Common) => "tentatively, by one or more modules".into(),
            Some(Definer::Process(address)) => match self.session.library_at(*address) {
                Some(place) => format!("in {}", place.file),
                None => format!("at {address}"),
            },
            Some(Definer::ThreadLocal) => "in a library, for each thread anew".into(),
            Some(Definer::Alias { target, offset: 0 }) => format!("as {}", name(*target)),
            Some(Definer::Alias { target, offset }) => {
                format!("as {} and {offset} bytes", name(*target))
            }
            Some(Definer::Resolver(resolver)) => format!("by what {} returns", name(*resolver)),
        }
    }

    fn state(&self) -> String {
        let is_code = matches!(self.known.kind, Some(SymbolKind::Function | SymbolKind::Indirect));
        let state = match self.known.state {
            State::Undefined => "not needed by anything that ran",
            State::Defined if is_code => "never called",
            State::Defined => "not needed by anything that ran",
            State::Queued => "waits for a compile thread",
            State::Compiling => "being compiled",
            State::Ready => "ready",
            State::Failed => "failed",
            State::Resolving => "its resolver is being asked",
        };
        match &self.known.error {
            Some(error) => format!("{state}: {error}"),
            None => state.into(),
        }
    }

    fn code(&mut self) {
        if let Some(address) = self.known.address {
            match self.known.size {
                0 => self.line("address", address),
                size => self.line("address", format!("{address}, {size} bytes")),
            }
        }
        if let Some(stub) = self.known.stub {
            self.line("stub", stub);
        }
    }

    fn first_call(&mut self) {
        let Some(call) = self.known.first_call else { return };
        let who = caller(self.session, self.roots, self.id, call.from);
        match call.after {
            Some(after) => self.line("first call", format!("at {}, by {who}", millis(after))),
            None => self.line("first call", format!("by {who}")),
        }
    }

    fn compile(&mut self) {
        let compiles = self.journal.compiles();
        let is_own = |compiled: &&Compiled| {
            let mut functions = compiled.functions.iter();
            compiled.unit == self.id || functions.any(|f| f.symbol == Some(self.id))
        };
        let Some(compiled) = compiles.iter().find(is_own) else { return };
        let whole = millis(compiled.linked - compiled.compile.began);
        let link = ("link", compiled.linked - compiled.compile.ended);
        let phases = compiled.compile.phases.into_iter().chain([link]);
        let phases: Vec<_> = phases
            .filter(|(_, time)| !time.is_zero())
            .map(|(name, time)| format!("{name} {}", millis(time)))
            .collect();
        let thread = compiled.thread;
        self.line("compiled", format!("in {whole} by compile thread {thread}: {}", phases.join(", ")));
    }

    fn uses(&mut self) {
        let mut uses: BTreeMap<SymbolId, Uses> = BTreeMap::new();
        for site in &self.known.sites {
            let counts = uses.entry(site.owner).or_default();
            counts.calls += 1;
            counts.bound += usize::from(site.is_bound);
        }
        for noted in self.journal.uses().iter().filter(|noted| noted.used == self.id) {
            let counts = uses.entry(noted.user).or_default();
            // The session forgets sites that can never be bound, such as calls into libraries.
            counts.calls = counts.calls.max(noted.calls as usize);
            counts.references += noted.references as usize;
        }
        let total = |count: fn(&Uses) -> usize| uses.values().map(count).sum();
        let all = Uses {
            calls: total(|uses| uses.calls),
            bound: total(|uses| uses.bound),
            references: total(|uses| uses.references),
        };
        self.line("used", all.text());
        for (user, counts) in uses {
            self.line("", format!("in {}: {}", self.session.name(user), counts.text()));
        }
    }
}

impl Uses {
    fn text(&self) -> String {
        let Self { calls, bound, references } = self;
        let stubbed = calls - bound;
        let calls = match calls {
            0 => None,
            _ => Some(format!("{} ({bound} bound, {stubbed} on the stub)", count(*calls, "call site"))),
        };
        let references = (*references > 0).then(|| count(*references, "other reference"));
        let parts: Vec<_> = calls.into_iter().chain(references).collect();
        if parts.is_empty() { "nowhere in linked code or data".into() } else { parts.join(", ") }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn kind(kind: Option<SymbolKind>) -> &'static str {
    match kind {
        Some(SymbolKind::Function) => "function",
        Some(SymbolKind::Indirect) => "indirect function",
        Some(SymbolKind::Data) => "data",
        Some(SymbolKind::ThreadLocal) => "thread-local data",
        None => "of a kind that nobody has told",
    }
}

fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
