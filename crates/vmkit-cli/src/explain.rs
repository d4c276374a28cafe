//! `--explain`: what is known of a name, in words.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::Arc;
use std::time::Duration;

use vmkit::debug::{Code, Journal, Record};
use vmkit::graph::{Listed, Standing};
use vmkit::{Definer, Explanation, LoadedObject, Name, Session, State, SymbolId, SymbolKind};
use vmkit_llvm::Llvm;

use crate::caller::{Roots, caller};

/// A module, and what it says of a symbol.
type Claim = (Arc<str>, Listed);

/// What is known of a run that is over.
pub(crate) struct Knowledge<'a> {
    pub(crate) session: &'a Session,
    pub(crate) llvm: &'a Llvm,
    pub(crate) objects: &'a [LoadedObject],
    pub(crate) journal: &'a Journal,
    pub(crate) roots: &'a Roots,
}

impl Knowledge<'_> {
    /// Everything about all symbols called `name`.
    pub(crate) fn explain(&self, name: &str) -> String {
        let name = Name::from(name);
        let claims = self.claims(&name);
        // Bitcode modules tell of what they keep to themselves only when they are asked.
        drop(self.llvm.private_symbols(&name));
        if claims.iter().any(|(_, listed)| listed.standing != Standing::Private) {
            let _ = self.session.symbol_of(&name);
        }
        let symbols = self.session.symbols_named(&name);
        let mut texts: Vec<_> = symbols.into_iter().map(|id| self.account(id, &claims)).collect();
        texts.extend(self.objects.iter().filter_map(|object| self.within(object, &name)));
        if texts.is_empty() {
            return format!("{name}: no module defines or uses a symbol of this name\n");
        }
        texts.concat()
    }

    /// The modules that name it, and what they say of it.
    fn claims(&self, name: &Name) -> Vec<Claim> {
        let mut listings = self.llvm.listings().unwrap_or_default();
        let objects = self.objects.iter().map(|object| (object.name().clone(), object.listing()));
        listings.extend(objects);
        let claim = |(module, listed): (Arc<str>, Vec<Listed>)| {
            Some((module, listed.into_iter().find(|listed| listed.name == *name)?))
        };
        listings.into_iter().filter_map(claim).collect()
    }

    fn account(&self, id: SymbolId, claims: &[Claim]) -> String {
        let mut known = self.session.explain(id);
        // Until code that needs it is linked, only the modules know.
        let shared = claims.iter().filter(|(_, listed)| listed.standing != Standing::Private);
        known.kind = known.kind.or_else(|| shared.filter_map(|(_, listed)| listed.kind).next());
        Account { knowledge: self, id, known, claims, text: String::new() }.write()
    }

    /// What an object keeps to itself is no symbol of the session's.
    fn within(&self, object: &LoadedObject, name: &Name) -> Option<String> {
        let listing = object.listing();
        let is_wanted =
            |listed: &&Listed| listed.name == *name && listed.standing == Standing::Private;
        let listed = listing.iter().find(is_wanted)?;
        let module = object.name();
        let records = self.journal.records();
        let own = records.iter().filter(|record| record.module == *module);
        let code = |code: &&Code| code.symbol.is_none() && code.name == *name;
        let place = match own.flat_map(|record| &record.functions).find(code) {
            Some(code) => format!("  {:<11} {}, {} bytes\n", "address", code.address, code.size),
            None => String::new(),
        };
        Some(format!("{name} ({} private to {module})\n{place}", kind(listed.kind)))
    }
}

/// What is told of one symbol.
struct Account<'a> {
    knowledge: &'a Knowledge<'a>,
    id: SymbolId,
    known: Explanation,
    claims: &'a [Claim],
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
        let name = |id| self.knowledge.session.name(id);
        match &self.known.definer {
            None => self.no_definer(),
            Some(Definer::Module(module)) => format!("in {module}"),
            Some(Definer::Common) => "tentatively, by one or more modules".into(),
            Some(Definer::Process(address)) => match self.knowledge.session.library_at(*address) {
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

    fn no_definer(&self) -> String {
        let needs = |(module, listed): &Claim| {
            matches!(listed.standing, Standing::Needed | Standing::NeededWeakly)
                .then(|| module.to_string())
        };
        let modules: Vec<_> = self.claims.iter().filter_map(needs).collect();
        let whom = if modules.is_empty() { "nobody".into() } else { modules.join(", ") };
        match self.known.state {
            State::Failed => format!("by nobody; needed by {whom}"),
            _ => format!("in no module; needed by {whom}; no library was asked yet"),
        }
    }

    fn state(&self) -> String {
        let is_function =
            matches!(self.known.kind, Some(SymbolKind::Function | SymbolKind::Indirect));
        let is_code = is_function || self.known.stub.is_some();
        let state = match self.known.state {
            // Of libraries only what code calls is asked for through a stub.
            State::Undefined | State::Defined if self.known.address.is_some() => "ready",
            State::Undefined | State::Defined if is_code => "never called",
            State::Undefined | State::Defined => "not needed by anything that ran",
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
        let who = caller(self.knowledge.session, self.knowledge.roots, self.id, call.from);
        match call.after {
            Some(after) => self.line("first call", format!("at {}, by {who}", millis(after))),
            None => self.line("first call", format!("by {who}")),
        }
    }

    fn compile(&mut self) {
        let records = self.knowledge.journal.records();
        let is_own = |record: &&Record| {
            let mut functions = record.functions.iter();
            record.unit == self.id || functions.any(|f| f.symbol == Some(self.id))
        };
        let Some(record) = records.iter().find(is_own) else { return };
        let Some(compile) = record.compile else { return };
        let began = self.knowledge.session.began();
        let at = millis(compile.began.saturating_duration_since(began));
        let whole = millis(record.linked - compile.began);
        let phases = compile.phases.into_iter().chain([("link", record.linked - compile.ended)]);
        let phases: Vec<_> = phases
            .filter(|(_, time)| !time.is_zero())
            .map(|(name, time)| format!("{name} {}", millis(time)))
            .collect();
        let (thread, phases) = (record.thread, phases.join(", "));
        self.line("compiled", format!("at {at}, in {whole}, by compile thread {thread}: {phases}"));
    }

    fn uses(&mut self) {
        let mut uses: BTreeMap<SymbolId, Uses> = BTreeMap::new();
        for site in &self.known.sites {
            // Code that is linked as a whole has one owner for all of its functions.
            let function = self.knowledge.session.function_at(site.place);
            let owner = function.map_or(site.owner, |(function, _)| function);
            let counts = uses.entry(owner).or_default();
            counts.calls += 1;
            counts.bound += usize::from(site.is_bound);
        }
        for noted in self.knowledge.journal.uses().iter().filter(|noted| noted.used == self.id) {
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
            self.line("", format!("in {}: {}", self.knowledge.session.name(user), counts.text()));
        }
    }
}

impl Uses {
    fn text(&self) -> String {
        let Self { calls, bound, references } = self;
        let stubbed = calls - bound;
        let calls = match calls {
            0 => None,
            _ => Some(format!(
                "{} ({bound} bound, {stubbed} on the stub)",
                count(*calls, "call site")
            )),
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
        None => "symbol",
    }
}

fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
