//! Values at the bounds of every kind of relocation: written as they are if they fit, else an error.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use vmkit::graph::{Binding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol};
use vmkit::listener::{Linked, Listener};
use vmkit::target::{Base, Isa, Row, Term, native};
use vmkit::{
    Descriptor, Error, Name, Private, Result, Session, Source, SymbolId, SymbolKind, Unit,
    Visibility,
};

/// Where in its section the relocation is; the symbol is at its start.
const PLACE: u64 = 8;
/// The size of the symbol.
const SIZE: u64 = 24;

/// A module with one definition.
struct Module(Arc<str>, LinkGraph);

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.0
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        Ok(self.1.clone())
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Data, unit: Unit::Whole }
    }
}

/// Keeps the bytes of the last section that was linked.
#[derive(Default)]
struct Last(Mutex<Vec<u8>>);

impl Listener for Last {
    fn linked(&self, event: &Linked<'_>) {
        let section = event.sections[0].as_ref().expect("a loaded section");
        *self.0.lock().expect("no panic") = section.bytes.to_vec();
    }
}

struct Bench {
    session: Session,
    last: Arc<Last>,
    serial: u32,
}

impl Bench {
    fn new() -> Self {
        let last = Arc::new(Last::default());
        let builder = Session::builder().whole_process(false).compile_threads(1);
        let session = builder.listener(last.clone()).build().expect("a session");
        Self { session, last, serial: 0 }
    }

    /// Links a section with one relocation, and gives its final bytes.
    fn link(&mut self, row: &Row, target: Place, addend: i64) -> Result<Vec<u8>> {
        self.serial += 1;
        let name: Arc<str> = format!("unit{}", self.serial).into();
        let descriptor = Descriptor::strong(Name::from(&*name), SymbolKind::Data);
        let graph = graph(&name, row, target, addend);
        let scope = self.session.add_source(Arc::new(Module(name, graph)));
        let (id, _): (SymbolId, _) =
            self.session.define(&descriptor, scope, 0, Unit::Whole).expect("a new name");
        self.session.compile(id)?;
        Ok(self.last.0.lock().expect("no panic").clone())
    }
}

fn graph(name: &Arc<str>, row: &Row, target: Place, addend: i64) -> LinkGraph {
    let symbol = |name: &str, place| Symbol {
        name: name.into(),
        place,
        binding: Binding::Graph,
        visibility: Visibility::Default,
        kind: Some(SymbolKind::Data),
        size: SIZE,
    };
    let edge = Edge { offset: PLACE, kind: EdgeKind(row.number), target: 1, addend };
    let section = Section {
        name: ".data".into(),
        kind: SectionKind::Data,
        align: 8,
        size: SIZE,
        bytes: vec![0xcc; SIZE as usize],
        edges: vec![edge],
        group: None,
    };
    let symbols = vec![symbol("unit", Place::Section { index: 0, offset: 0 }), symbol("x", target)];
    LinkGraph::of_section(name.clone(), section, symbols)
}

/// What brings the value of a relocation to `value`: where the symbol is, and the addend. None
/// where the formula depends on more than those.
fn recipe(row: &Row, value: i128) -> Option<(Place, i64)> {
    let here = Place::Section { index: 0, offset: 0 };
    let addend = |base: i128| i64::try_from(value - base).ok();
    match (row.term, row.base) {
        // Halves of the range each for symbol and addend, so that every value can be made.
        (Term::Address, Base::Zero) if value < 0 => Some((Place::Absolute(0), addend(0)?)),
        (Term::Address, Base::Zero) => {
            let symbol = u64::try_from(value / 2).ok()?;
            Some((Place::Absolute(symbol), addend(i128::from(symbol))?))
        }
        (Term::Address | Term::Call, Base::Place) => Some((here, addend(-i128::from(PLACE))?)),
        (Term::Size, Base::Zero) => Some((here, addend(i128::from(SIZE))?)),
        _ => None,
    }
}

fn check(bench: &mut Bench, row: &Row, value: i128) {
    let Some((target, addend)) = recipe(row, value) else { return };
    // Addresses wrap: 64 bits hold every one of them.
    let in_bounds = row.field.size == 8 || row.fits(value);
    let fits = in_bounds && value.rem_euclid(row.field.align.into()) == 0;
    match bench.link(row, target, addend) {
        Ok(bytes) => {
            assert!(fits, "{} took {value:#x}", row.name);
            let mut expected = vec![0xcc; SIZE as usize];
            let (at, size) = (PLACE as usize, usize::from(row.field.size));
            let word = row.field.put(0xcccc_cccc_cccc_cccc, i128::from(value as i64));
            expected[at..at + size].copy_from_slice(&word.to_le_bytes()[..size]);
            assert_eq!(bytes, expected, "{} of {value:#x}", row.name);
        }
        Err(error) => check_error(row, value, fits, &error),
    }
}

fn check_error(row: &Row, value: i128, fits: bool, error: &Error) {
    assert!(!fits, "{} refused {value:#x}: {error}", row.name);
    assert!(error.is_out_of_range(), "{error}");
    let text = error.to_string();
    let sign = if value < 0 { "-" } else { "" };
    let what = if row.fits(value) { "no multiple of" } else { "outside" };
    let number = format!("value {sign}{:#x} is {what}", value.unsigned_abs());
    assert!(text.contains(row.name) && text.contains(&number), "{text}");
}

#[test]
fn values_at_the_bounds_fit_and_those_beyond_do_not() {
    let mut bench = Bench::new();
    let mut kinds = 0;
    for row in native::ROWS.iter().filter(|row| row.field.size > 0) {
        kinds += usize::from(recipe(row, 0).is_some());
        for bound in [row.low, row.high] {
            for value in [bound - 1, bound, bound + 1] {
                check(&mut bench, row, value);
            }
        }
        check(&mut bench, row, 0);
    }
    assert!(kinds >= 12, "{kinds} kinds of relocations were tried");
}

#[test]
fn a_relocation_outside_its_section_is_an_error() {
    let row = Isa::NATIVE.edge(native::pointer(8, false).expect("a kind")).expect("a row");
    for offset in [SIZE - 7, SIZE, u64::MAX, u64::MAX - PLACE] {
        let name: Arc<str> = "outside".into();
        let mut graph = graph(&name, row, Place::Absolute(1), 0);
        graph.sections[0].edges[0].offset = offset;
        let bench = Bench::new();
        let descriptor = Descriptor::strong("outside".into(), SymbolKind::Data);
        let scope = bench.session.add_source(Arc::new(Module(name, graph)));
        let defined = bench.session.define(&descriptor, scope, 0, Unit::Whole);
        let error = bench.session.compile(defined.expect("a new name").0).unwrap_err();
        assert!(error.to_string().contains("outside its section"), "{offset:#x}: {error}");
    }
}

#[test]
fn any_value_fits_or_is_refused() {
    let bench = Mutex::new(Bench::new());
    let wide = prop_oneof![
        any::<i64>().prop_map(i128::from),
        any::<i32>().prop_map(i128::from),
        any::<i16>().prop_map(i128::from),
    ];
    proptest!(ProptestConfig::with_cases(500), |(index in 0..native::ROWS.len(), value in wide)| {
        let row = &native::ROWS[index];
        if row.field.size > 0 {
            check(&mut bench.lock().expect("no panic"), row, value);
        }
    });
}
