//! Wrong use is an error that says so, whatever it is.
#![expect(unsafe_code, reason = "frees a table")]

use std::sync::Arc;

use vmkit::graph::{
    Binding as GraphBinding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol,
};
use vmkit::target::native;
use vmkit::{
    Binding, Change, Descriptor, Linkage, Private, Result, ScopeId, Session, Source, State,
    SymbolId, SymbolKind, Unit,
};

use crate::bench::{Bench, Body};

const OTHER: &str = "a symbol of another session: look it up here, by its name";

fn check<T>(found: Result<T>, expected: &str) {
    assert_eq!(found.err().map(|error| error.to_string()).as_deref(), Some(expected));
}

#[test]
fn symbols_of_another_session_are_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    let own = bench.define("own", Body::Number(1));
    // More than here, so that the number alone would not do.
    let foreign = (0..3000).map(|n| other.define(&format!("f{n}"), Body::Number(2)));
    let foreign: Vec<SymbolId> = foreign.collect();
    let session = &bench.session;
    let key = bench.key(Body::Number(3));
    for id in [foreign[0], foreign[2999]] {
        assert!(!session.has(id) && other.session.has(id) && session.has(own));
        check(session.address(id), OTHER);
        check(session.stub_address(id), OTHER);
        check(session.compile(id), OTHER);
        check(session.redefine(id, bench.scope, key), OTHER);
        check(session.redefine_compiled(id, bench.scope, key), OTHER);
        check(session.redefine_data(id, bench.scope, key), OTHER);
        check(session.remove(id), OTHER);
        let alias = Descriptor::strong("alias".into(), SymbolKind::Function);
        check(session.define_alias(bench.scope, &alias, id, 0, None), OTHER);
        check(session.define_indirect(bench.scope, &alias, id), OTHER);
        let table = session.dispatch_table(1).unwrap();
        check(table.set(0, id), OTHER);
        // Without an error to give, nothing happens.
        session.request(id);
        session.invalidate(id);
        session.set_binding(id, Binding::Slot);
        assert_eq!((session.state(id), session.body(id)), (State::Undefined, None));
        assert_eq!((session.is_defined(id), session.signature(id)), (false, None));
        assert!(session.name(id).to_string().contains("another session"));
        assert!(session.why(id).relies_on.is_empty() && session.explain(id).sites.is_empty());
    }
    assert_eq!(session.state(own), State::Defined);
    assert_eq!(bench.compiles(), 0);
    assert!(foreign.iter().all(|&id| other.session.state(id) == State::Defined));
}

#[test]
fn scopes_of_another_session_are_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    let descriptor = Descriptor::strong("f".into(), SymbolKind::Function);
    let key = bench.key(Body::Number(1));
    let defined = bench.session.define(&descriptor, other.scope, key, Unit::Lazy);
    check(defined.map(drop), "a module of another session: add it to this one");
    assert!(!bench.session.has_scope(other.scope) && other.session.has_scope(other.scope));
    assert!(bench.session.find("f").is_none_or(|id| !bench.session.is_defined(id)));
}

#[test]
fn definitions_are_of_modules_of_the_session() {
    let (bench, other) = (Bench::new(), Bench::new());
    let f = bench.define("f", Body::Number(1));
    let (foreign, key) = (other.session.add_source(other.module.clone()), 0);
    let session = &bench.session;
    let what = "a module of another session, or one that is gone: add it to this one";
    for scope in [ScopeId::GLOBAL, foreign] {
        check(session.redefine(f, scope, key), what);
        check(session.redefine_compiled(f, scope, key), what);
        check(session.redefine_together(&[Change::Function(f, scope, key)]), what);
        check(session.redefine_together(&[Change::Data(f, scope, key)]), what);
        let descriptor = Descriptor::strong("g".into(), SymbolKind::Function);
        let define = Change::Define(descriptor, scope, key, Unit::Lazy);
        check(session.redefine_together(&[define]), what);
    }
    assert_eq!(bench.function(f)(), 1);
    assert!(session.find("g").is_none());
    // Of another session's scope there are no names here.
    let scope = other.session.add_scope(&[]);
    for id in [session.symbol_in(scope, &"f".into()), session.own_symbol_in(scope, &"f".into())] {
        assert!(!session.has(id));
        check(session.compile(id), OTHER);
    }
}

#[test]
fn assumptions_of_another_session_are_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    let foreign = other.session.assumption("no class overrides it");
    let f = bench.define("f", Body::Assuming(foreign, 1));
    let what = "an assumption of another session: make it in this one";
    check(bench.session.compile(f), what);
    check(bench.redefine_compiled(f, Body::Assuming(foreign, 2)), what);
    assert_eq!(bench.function(f)(), 404);
    bench.redefine(f, Body::Assuming(bench.session.assumption("it"), 3));
    assert_eq!(bench.function(f)(), 3);
}

#[test]
fn a_table_that_no_memory_has_is_refused() {
    let bench = Bench::new();
    for len in [1 << 60, usize::MAX] {
        let what = format!("no memory for a dispatch table of {len} words");
        check(bench.session.dispatch_table(len), &what);
    }
}

#[test]
fn a_table_that_was_freed_has_no_words() {
    let bench = Bench::new();
    let f = bench.define("f", Body::Number(1));
    let table = bench.session.dispatch_table(3).unwrap();
    table.set(2, f).unwrap();
    check(table.set(3, f), "word 3 of a dispatch table of 3 words");
    // SAFETY: nothing points to it.
    unsafe { table.free() };
    bench.reclaim();
    check(table.set(0, f), "word 0 of a dispatch table of 0 words");
    check(table.set_number(2, 1), "word 2 of a dispatch table of 0 words");
    check(table.get(2), "word 2 of a dispatch table of 0 words");
    assert!(table.is_empty());
    bench.redefine(f, Body::Number(2));
    assert_eq!(bench.function(f)(), 2);
}

/// Code with unwind records as they are given.
struct Unwinding(Arc<str>, Vec<u8>, Option<Edge>);

impl Source for Unwinding {
    fn name(&self) -> &Arc<str> {
        &self.0
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        let section = |name: &'static str, kind, bytes: &[u8], edges| Section {
            name: name.into(),
            kind,
            align: 8,
            size: bytes.len() as u64,
            bytes: bytes.to_vec(),
            edges,
            group: None,
        };
        let own = Symbol {
            place: Place::Section { index: 0, offset: 0 },
            kind: Some(SymbolKind::Function),
            size: 1,
            ..Symbol::undefined("f".into())
        };
        let start = Symbol { binding: GraphBinding::Graph, ..own.clone() };
        let code = section(".text", SectionKind::Code, &[0xc3], Vec::new());
        let edges = self.2.into_iter().collect();
        let records = section(".eh_frame", SectionKind::Unwind, &self.1, edges);
        let mut graph = LinkGraph::of_section(self.0.clone(), code, vec![own, start]);
        graph.sections.push(records);
        Ok(graph)
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

/// One CIE, and an FDE about `size` bytes.
fn records(size: u32) -> Vec<u8> {
    // Version 1, "zR", code and data factors 1 and -8, return address in 16, pointers relative.
    let mut cie = vec![20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b];
    cie.extend([0x0c, 7, 8, 0x90, 1, 0, 0]);
    let mut fde = vec![16, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0];
    fde.extend(size.to_le_bytes());
    fde.extend([0; 4]);
    [cie, fde].concat()
}

/// Where the FDE says what it is about.
const ABOUT: Edge = Edge {
    offset: 32,
    kind: EdgeKind(native::pointer(4, true).expect("a kind of edge")),
    target: 1,
    addend: 0,
};

fn link(bytes: Vec<u8>, edge: Option<Edge>) -> Result<()> {
    let session = Session::builder().whole_process(false).build().unwrap();
    let scope = session.add_source(Arc::new(Unwinding("records".into(), bytes, edge)));
    let descriptor = Descriptor {
        linkage: Linkage::Strong,
        ..Descriptor::strong("f".into(), SymbolKind::Function)
    };
    let (id, _) = session.define(&descriptor, scope, 0, Unit::Lazy)?;
    session.compile(id)
}

#[test]
fn unwind_records_that_are_damaged_do_not_get_to_the_unwinder() {
    link(records(1), Some(ABOUT)).unwrap();
    link(records(1), None).unwrap(); // of code that was left out
    let refused = |bytes, edge, why: &str| {
        let error = link(bytes, edge).unwrap_err().to_string();
        assert!(error.starts_with("records: unwind records: ") && error.contains(why), "{error}");
    };
    refused(records(2), Some(ABOUT), "about code that is not there");
    refused(records(1), Some(Edge { addend: -1, ..ABOUT }), "about code that is not there");
    for (at, byte) in [(0, 200), (3, 0x7f), (4, 1), (9, b'q'), (28, 4), (24, 5)] {
        let mut bytes = records(1);
        bytes[at] = byte;
        refused(bytes, Some(ABOUT), "");
    }
    // Whoever throws goes through all records that there are.
    assert!(std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).is_err());
}
