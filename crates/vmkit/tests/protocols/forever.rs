//! What is redefined for ever takes no more memory.
#![expect(unsafe_code, reason = "runs what was linked, and vouches that nothing else points to it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use vmkit::graph::{
    Binding as GraphBinding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::target::native;
use vmkit::{
    Descriptor, Linkage, Private, Result, ScopeId, Session, Source, SymbolId, SymbolKind, Unit,
    Visibility,
};

use crate::body;

const F: u64 = 0;
const HELPER: u64 = 1;
const TEXT: u64 = 2;
const TABLE: u64 = 3;

/// A version of a module: `f`, which calls the private `helper` and reads the private `text` twice,
/// directly and by the pointer to it in `table`.
struct Version {
    name: Arc<str>,
    number: u32,
}

fn symbol(name: &str, binding: GraphBinding, kind: SymbolKind) -> Symbol {
    Symbol {
        binding,
        visibility: Visibility::Default,
        kind: Some(kind),
        ..Symbol::undefined(name.into())
    }
}

impl Source for Version {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        let private = |name, key, kind| symbol(name, GraphBinding::Module(key), kind);
        let text = private("text", TEXT, SymbolKind::Data);
        let edge = |offset, kind, target, addend| Edge { offset, kind, target, addend };
        let number = self.number.to_le_bytes();
        let (bytes, edges, needs) = match key {
            F => {
                let (code, edges) = body::sum_of_call_and_words();
                let needs = vec![
                    private("helper", HELPER, SymbolKind::Function),
                    text,
                    symbol("table", GraphBinding::Global(Linkage::Strong), SymbolKind::Data),
                ];
                (code, edges, needs)
            }
            HELPER => (body::number(self.number), vec![], vec![]),
            TEXT => (number.to_vec(), vec![], vec![]),
            _ => {
                let word = EdgeKind(native::pointer(8, false).expect("a kind of edge"));
                (vec![0; 8], vec![edge(0, word, 1, 0)], vec![text])
            }
        };
        let (name, kind) = self.what(key);
        let own = Symbol {
            place: Place::Section { index: 0, offset: 0 },
            size: bytes.len() as u64,
            ..symbol(name, GraphBinding::Global(Linkage::Strong), kind)
        };
        let section = Section {
            name: ".section".into(),
            kind: match kind {
                SymbolKind::Function => SectionKind::Code,
                _ => SectionKind::Data,
            },
            align: 16,
            size: bytes.len() as u64,
            bytes,
            edges,
            group: None,
        };
        let own = if matches!(key, HELPER | TEXT) {
            Symbol { binding: GraphBinding::Module(key), ..own }
        } else {
            own
        };
        let symbols = [vec![own], needs].concat();
        Ok(LinkGraph::of_section(self.name.clone(), section, symbols))
    }

    fn private(&self, key: u64) -> Private {
        let (_, kind) = self.what(key);
        let unit = if kind == SymbolKind::Data { Unit::Data } else { Unit::Lazy };
        Private { key, kind, unit }
    }
}

impl Version {
    fn what(&self, key: u64) -> (&'static str, SymbolKind) {
        match key {
            F => ("f", SymbolKind::Function),
            HELPER => ("helper", SymbolKind::Function),
            TEXT => ("text", SymbolKind::Data),
            _ => ("table", SymbolKind::Data),
        }
    }
}

/// A session in which one module is replaced by other versions of itself.
struct Machine {
    session: Session,
    f: SymbolId,
    table: SymbolId,
}

impl Machine {
    fn new() -> Self {
        let session = Session::builder().whole_process(false).compile_threads(1).build().unwrap();
        let scope = add(&session, 0);
        let [f, table] = [(F, Unit::Lazy), (TABLE, Unit::Data)].map(|(key, unit)| {
            let (name, kind) = Version { name: "".into(), number: 0 }.what(key);
            session.define(&Descriptor::strong(name.into(), kind), scope, key, unit).unwrap().0
        });
        Self { session, f, table }
    }

    fn replace(&self, number: u32) {
        let scope = add(&self.session, number);
        self.session.redefine(self.f, scope, F).unwrap();
        self.session.redefine_data(self.table, scope, TABLE).unwrap();
    }

    /// Frees what no reader can be in.
    fn reclaim(&self) {
        // SAFETY: nothing but the versions' own code and data points to what is theirs; threads run
        // them as readers only, or none runs.
        unsafe {
            self.session.retire_replaced();
            self.session.reclaim();
        }
    }

    fn call(&self) -> u32 {
        let address = self.session.address(self.f).unwrap();
        // SAFETY: `f` takes nothing and returns a number.
        unsafe {
            std::mem::transmute::<*const (), extern "C" fn() -> u32>(address.0 as *const ())()
        }
    }
}

fn add(session: &Session, number: u32) -> ScopeId {
    session.add_source(Arc::new(Version { name: "version".into(), number }))
}

/// Pages of the process that are in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * text.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
}

/// Replaces the module so many times, and looks at what that takes; by how many bytes the process grew.
fn check(rounds: u32) -> u64 {
    let machine = Machine::new();
    let mut before = None;
    for number in 1..=rounds {
        machine.replace(number);
        assert_eq!(machine.call(), 3 * number);
        machine.reclaim();
        if number == rounds / 10 {
            before = Some((machine.session.stats(), resident()));
        }
    }
    let ((before, resident_before), after) = (before.unwrap(), machine.session.stats());
    let figures = |stats: vmkit::Stats| {
        [stats.symbols, stats.stubs, stats.code_bytes, stats.data_bytes, stats.functions_retired]
    };
    // A compile thread may still hold the version before.
    let slack = [4, 1, 64, 64, 4];
    for ((now, then), slack) in figures(after).into_iter().zip(figures(before)).zip(slack) {
        assert!(now <= then + slack, "{before:?}\n{after:?}");
    }
    assert!(after.modules <= 4, "{after:?}");
    resident().saturating_sub(resident_before)
}

#[test]
fn a_module_with_private_code_and_data_is_replaced_for_ever() {
    check(2_000);
}

#[test]
#[ignore = "takes long: make stress"]
fn a_module_is_replaced_for_ever_stress() {
    let rounds = 200_000;
    let grown = check(rounds);
    // A bit for each allocation that ever was, and what other tests take meanwhile.
    assert!(grown < 40 * u64::from(rounds), "{grown} bytes more in {rounds} rounds");
}

#[test]
fn old_data_stays_while_a_reader_may_use_it() {
    let machine = Machine::new();
    let (is_done, newest) = (AtomicBool::new(false), AtomicU32::new(1));
    machine.replace(1);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = machine.session.reader();
                while !is_done.load(Ordering::Acquire) {
                    let oldest = newest.load(Ordering::Acquire);
                    let found = {
                        let _reading = reader.enter();
                        machine.call()
                    };
                    let newest = newest.load(Ordering::Acquire) + 1;
                    // `f` and what it calls may be of two versions, and never of one that is gone.
                    assert!((3 * (oldest - 1)..=3 * newest).contains(&found), "{oldest} {found}");
                }
            });
        }
        let reader = machine.session.reader();
        for number in 2..1_000 {
            machine.replace(number);
            newest.store(number, Ordering::Release);
            let reading = reader.enter();
            assert_eq!(machine.call(), 3 * number);
            drop(reading);
            machine.reclaim();
        }
        is_done.store(true, Ordering::Release);
    });
    (0..4).for_each(|_| machine.reclaim());
    assert!(machine.session.stats().modules <= 2, "{:?}", machine.session.stats());
}
