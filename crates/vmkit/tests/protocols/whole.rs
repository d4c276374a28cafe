//! Units that are linked as a whole: all of one can be used, or nothing.
#![expect(unsafe_code, reason = "runs what was linked")]

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use vmkit::graph::{
    Binding as GraphBinding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::target::native;
use vmkit::{
    Addr, Descriptor, Error, Linkage, Private, Result, ScopeId, Session, Source, SymbolId,
    SymbolKind, Unit,
};

use crate::bench::{Function, missing};
use crate::body;

/// Two functions, and words that hold where `table` and `late` are.
const UNIT: u64 = 0;
/// A word that holds where `first` is.
const TABLE: u64 = 1;
/// What the unit needs last.
const LATE: u64 = 2;

type Hook = Box<dyn FnMut() -> Result<()> + Send>;

/// A module with a unit and its data.
struct Module {
    name: Arc<str>,
    /// Runs before `late` is there.
    hook: Mutex<Hook>,
}

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        match key {
            UNIT => Ok(unit()),
            TABLE => Ok(words("table", &["first"])),
            _ => (*self.hook.lock().unwrap())().map(|()| words("late", &[])),
        }
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Data, unit: Unit::Data }
    }
}

fn symbol(name: &str, kind: SymbolKind, place: Place) -> Symbol {
    let binding = GraphBinding::Global(Linkage::Strong);
    Symbol { kind: Some(kind), place, binding, size: 8, ..Symbol::undefined(name.into()) }
}

fn section(kind: SectionKind, bytes: Vec<u8>, edges: Vec<Edge>) -> Section {
    let size = bytes.len() as u64;
    Section { name: ".it".into(), kind, align: 16, size, bytes, edges, group: None }
}

/// Edges of words one after the other, to symbols from `first` on.
fn pointers(count: usize, first: usize) -> Vec<Edge> {
    let kind = EdgeKind(native::pointer(8, false).expect("a kind of edge"));
    let edge = |n| Edge { offset: 8 * n as u64, kind, target: first + n, addend: 0 };
    (0..count).map(edge).collect()
}

fn words(name: &str, targets: &[&str]) -> LinkGraph {
    let bytes = vec![0; 8 * targets.len().max(1)];
    let section = section(SectionKind::Data, bytes, pointers(targets.len(), 1));
    let mut symbols = vec![symbol(name, SymbolKind::Data, Place::Section { index: 0, offset: 0 })];
    symbols.extend(targets.iter().map(|&target| Symbol::undefined(target.into())));
    LinkGraph::of_section("module".into(), section, symbols)
}

fn unit() -> LinkGraph {
    let mut code = body::number(7);
    let second = code.len().next_multiple_of(16);
    code.resize(second, 0);
    code.extend(body::number(8));
    let place = |offset: usize| Place::Section { index: 0, offset: offset as u64 };
    let symbols = vec![
        symbol("first", SymbolKind::Function, place(0)),
        symbol("second", SymbolKind::Function, place(second)),
        Symbol::undefined("table".into()),
        Symbol::undefined("late".into()),
    ];
    let code = section(SectionKind::Code, code, Vec::new());
    let mut graph = LinkGraph::of_section("module".into(), code, symbols);
    graph.sections.push(section(SectionKind::Data, vec![0; 16], pointers(2, 2)));
    graph.entry = None;
    graph
}

/// A session with such a module, and its symbols: `first`, `second`, `table`, `late`.
struct Whole {
    session: Session,
    symbols: [SymbolId; 4],
}

impl Whole {
    fn new(hook: Hook) -> Self {
        let builder = Session::builder().whole_process(false).compile_threads(2);
        let builder = builder.on_failure(|_, _, _| Addr(missing as *const () as u64));
        let session = builder.build().unwrap();
        let scope =
            session.add_source(Arc::new(Module { name: "module".into(), hook: hook.into() }));
        let define = |name, kind, key, unit| define(&session, scope, name, kind, (key, unit));
        let symbols = [
            define("first", SymbolKind::Function, UNIT, Unit::Whole),
            define("second", SymbolKind::Function, UNIT, Unit::Whole),
            define("table", SymbolKind::Data, TABLE, Unit::Data),
            define("late", SymbolKind::Data, LATE, Unit::Data),
        ];
        Self { session, symbols }
    }

    /// Calls a function through its stub.
    fn call(&self, id: SymbolId) -> u32 {
        let stub = self.session.stub_address(id).unwrap();
        // SAFETY: those of the module take nothing and give a number.
        let function: Function = unsafe { std::mem::transmute(stub.0 as *const ()) };
        function()
    }

    /// Calls what the table holds.
    fn call_first_of_table(&self) -> Result<u32> {
        let table = self.session.address(self.symbols[2])?;
        // SAFETY: it is one word, where `first` is.
        let first: Function = unsafe { *(table.0 as *const Function) };
        Ok(first())
    }
}

fn define(
    session: &Session,
    scope: ScopeId,
    name: &str,
    kind: SymbolKind,
    (key, unit): (u64, Unit),
) -> SymbolId {
    let descriptor = Descriptor::strong(name.into(), kind);
    session.define(&descriptor, scope, key, unit).unwrap().0
}

#[test]
fn a_unit_that_lacks_something_fails_as_a_whole() {
    let mut times = 0;
    let whole = Whole::new(Box::new(move || {
        times += 1;
        if times <= 3 { Err(Error::other("it is not there yet")) } else { Ok(()) }
    }));
    let [first, second, ..] = whole.symbols;
    assert_eq!([whole.call(first), whole.call(second)], [404, 404]);
    assert_eq!(whole.call_first_of_table().unwrap_err().to_string(), "it is not there yet");
    assert_eq!(whole.call_first_of_table().unwrap(), 7);
}

/// What the thread that links the unit sees while another one wants the table.
fn meanwhile(reached: &Sender<()>, is_used: &Receiver<u32>) -> Result<()> {
    reached.send(()).expect("somebody waits");
    match is_used.recv_timeout(Duration::from_millis(100)) {
        Err(RecvTimeoutError::Timeout) => Ok(()),
        found => Err(Error::other(format!("used before the unit was linked: {found:?}"))),
    }
}

#[test]
fn data_that_points_into_a_unit_is_not_used_before_the_unit_is_linked() {
    let ((reached, reaches), (uses, is_used)) = (mpsc::channel(), mpsc::channel());
    let whole = Whole::new(Box::new(move || meanwhile(&reached, &is_used)));
    let table = &whole;
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            reaches.recv().expect("it is linked");
            let number = table.call_first_of_table().unwrap();
            // Whoever waited for it is gone where all is well.
            let _ = uses.send(number);
            number
        });
        assert_eq!(whole.call(whole.symbols[1]), 8);
        assert_eq!(other.join().unwrap(), 7);
    });
}
