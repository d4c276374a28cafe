//! The machine: a session, and what runs in it.
#![expect(unsafe_code, reason = "calls what was compiled")]

use std::cell::Cell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use vmkit::{Addr, Error, Reader, Resolution, Result, Session, State, SymbolId, Undefined};

use crate::backend::{Backend, LINE, STACK_LIMIT, TOO_DEEP};
use crate::names::{Names, title};
use crate::syntax::{Expression, Function, Item, Prototype};

/// Functions of this program that programs may declare extern, as they may those of the process.
const NATIVE: [(&str, extern "C" fn(f64) -> f64); 2] = [("putchar", put_char), ("print", print)];

/// Bytes of stack that the machine's thread must have, and those that programs may take of them.
pub(crate) const STACK: usize = 16 << 20;
const STACK_OF_PROGRAMS: u64 = 14 << 20;
/// The lowest address that they may get to.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Where programs run.
pub(crate) struct Machine {
    session: Session,
    backend: Box<dyn Backend>,
    reader: Reader,
    names: Arc<RwLock<Names>>,
}

thread_local! {
    /// Why the line that runs was given up.
    static FAILURE: Cell<Option<Error>> = const { Cell::new(None) };
}

/// What unwinds the frames of a line that is given up.
struct GivenUp;

impl Machine {
    /// A machine whose backend `make` makes.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub(crate) fn new(make: fn(&Session) -> Result<Box<dyn Backend>>) -> Result<Self> {
        let names = Arc::<RwLock<Names>>::default();
        let known = names.clone();
        let session = Session::builder()
            .resolver(move |undefined| resolve(undefined, &known.read().expect(UNPOISONED)))
            .on_failure(|_, error, _| {
                FAILURE.set(Some(error.clone()));
                Addr(give_up as *const () as u64)
            })
            .build()?;
        session.define_absolute(STACK_LIMIT, Addr(LIMIT.as_ptr() as u64))?;
        session.define_absolute(TOO_DEEP, Addr(too_deep as *const () as u64))?;
        // Programs expect C's mathematical functions; no backend need have loaded them.
        // SAFETY: the C library's own, whose initializers ask for nothing.
        unsafe { session.load_library("libm.so.6") }?;
        let backend = make(&session)?;
        let reader = session.reader();
        Ok(Self { session, backend, reader, names })
    }

    /// Does what an item says; an expression has a value.
    pub(crate) fn run(&self, item: Item) -> std::result::Result<Option<f64>, String> {
        self.names.write().expect(UNPOISONED).learn(&item)?;
        let done = match item {
            Item::Extern(prototype) => self.declare(&prototype).map(|()| None),
            Item::Define(function) => self.backend.define(function, &self.names).map(|()| None),
            Item::Evaluate(expression) => self.evaluate(expression).map(Some),
        };
        done.map_err(|error| error.to_string())
    }

    fn declare(&self, prototype: &Prototype) -> Result<()> {
        // Who called it before found nobody; the next call asks again.
        let id = self.session.symbol(&prototype.name);
        if self.session.state(id) == State::Failed { self.session.remove(id) } else { Ok(()) }
    }

    fn evaluate(&self, body: Expression) -> Result<f64> {
        let prototype = Prototype { name: LINE.into(), parameters: Vec::new() };
        self.backend.define(Function { prototype, body }, &self.names)?;
        let line = self.session.function::<unsafe extern "C-unwind" fn() -> f64>(LINE)?;
        let here = 0_u8;
        LIMIT.store((&raw const here as u64).saturating_sub(STACK_OF_PROGRAMS), Ordering::Relaxed);
        let result = {
            let _reading = self.reader.enter();
            // SAFETY: the line was built above, with this type.
            catch_unwind(AssertUnwindSafe(|| unsafe { line.call() }))
        };
        // SAFETY: only `evaluate` runs code, on the one thread of the machine, as a reader.
        unsafe { self.session.reclaim() };
        result.map_err(|panic| match panic.downcast::<GivenUp>() {
            Ok(_) => FAILURE.take().unwrap_or_else(|| Error::other("given up")),
            Err(other) => resume_unwind(other),
        })
    }

    /// What a function's code takes for granted, and what it was compiled anew for.
    pub(crate) fn why(&self, name: &str) -> String {
        let Some(id) = self.session.find(name) else { return unknown(name) };
        let why = self.session.why(id);
        let (inlined, outdated) = (self.names_of(&why.relies_on), self.names_of(&why.outdated_by));
        let inlined = match inlined.as_str() {
            "" => "no other function is part of its code".into(),
            names => format!("part of its code: {names}"),
        };
        match outdated.as_str() {
            "" => inlined,
            names => format!("{inlined}\ncompiled anew because of: {names}"),
        }
    }

    /// Where a function stands.
    pub(crate) fn explain(&self, name: &str) -> String {
        let Some(id) = self.session.find(name) else { return unknown(name) };
        let found = self.session.explain(id);
        let mut text = format!("{}: {}", title(name), stands(found.state));
        if let Some(address) = found.address {
            text += &format!(", {} bytes at {address:?}", found.size);
        }
        if let Some(error) = found.error {
            text += &format!(", {error}");
        }
        let bound = found.sites.iter().filter(|site| site.is_bound).count();
        text += &format!("\ncalls: {} in other code, {bound} of them direct", found.sites.len());
        text
    }

    pub(crate) fn stats(&self) -> String {
        let stats = self.session.stats();
        let lines = [
            format!("compiled: {}", stats.functions_compiled),
            format!("inlined: {}", self.backend.functions_inlined()),
            format!("outdated: {}", stats.functions_invalidated),
            format!("modules: {}", stats.modules),
            format!("code: {} bytes", stats.code_bytes),
        ];
        lines.join("\n")
    }

    fn names_of(&self, symbols: &[SymbolId]) -> String {
        let names: Vec<_> =
            symbols.iter().map(|&id| title(&self.session.name(id).to_string())).collect();
        names.join(", ")
    }
}

pub(crate) const UNPOISONED: &str = "nothing panics while names are locked";

/// Finds a function that nobody has defined: only what was declared extern is somewhere else.
fn resolve(undefined: &Undefined<'_>, names: &Names) -> Result<Resolution> {
    let name = undefined.name.to_string();
    if !names.is_extern(&name) {
        return Err(Error::other(format!("nobody has defined {}", title(&name))));
    }
    let native = NATIVE.iter().find(|(known, _)| *known == name);
    let native = native.map(|(_, function)| Addr(*function as *const () as u64));
    Ok(native.map_or(Resolution::Process, Resolution::Address))
}

fn stands(state: State) -> &'static str {
    match state {
        State::Undefined => "not defined",
        State::Defined => "not compiled yet",
        State::Ready => "compiled",
        State::Failed => "failed",
        State::Queued | State::Compiling | State::Resolving => "on its way",
    }
}

fn unknown(name: &str) -> String {
    format!("{} is not known", title(name))
}

/// Runs instead of a function that cannot be: back to `evaluate`, through the frames of the line.
extern "C-unwind" fn give_up() -> f64 {
    resume_unwind(Box::new(GivenUp))
}

/// What a program's functions call whose stack is used up.
extern "C-unwind" fn too_deep() {
    FAILURE.set(Some(Error::other("the recursion is too deep")));
    resume_unwind(Box::new(GivenUp))
}

extern "C" fn put_char(code: f64) -> f64 {
    let character = char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    write(format_args!("{character}"));
    0.0
}

extern "C" fn print(number: f64) -> f64 {
    write(format_args!("{number}\n"));
    0.0
}

/// Writes to where the program's results go. If nobody reads that any more, the next result says so.
fn write(text: std::fmt::Arguments<'_>) {
    let _ = std::io::stdout().lock().write_fmt(text);
}
