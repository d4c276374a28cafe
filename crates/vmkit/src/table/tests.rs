use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::definition::{Private, Source, Unit};
use crate::graph::LinkGraph;
use crate::symbol::{Addr, SymbolKind};

/// A module that only has a name.
struct Module(Arc<str>);

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.0
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        unreachable!("nothing is compiled here")
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

const LINKAGES: [Linkage; 3] = [Linkage::Strong, Linkage::Weak, Linkage::Common];

fn descriptor(name: &str, linkage: Linkage) -> Descriptor {
    Descriptor { linkage, ..Descriptor::strong(name.into(), SymbolKind::Data) }
}

fn definition(table: &Table, module: &str, linkage: Linkage, size: u64) -> Definition {
    match linkage {
        Linkage::Common => Definition::common(size, size),
        _ => {
            let scope = table.add_source(Arc::new(Module(module.into())), ScopeId::GLOBAL);
            Definition::Module { scope, key: 0, unit: Unit::Data }
        }
    }
}

fn define(table: &Table, name: &str, linkage: Linkage, module: &str) -> Result<Outcome> {
    let made = definition(table, module, linkage, 8);
    table.define(ScopeId::GLOBAL, &descriptor(name, linkage), made).map(|(_, outcome)| outcome)
}

fn definer(table: &Table, name: &str) -> Arc<str> {
    let id = table.find(ScopeId::GLOBAL, name.as_bytes()).expect("a known name");
    table.definer(table.entry(id).lock().definition.as_ref().expect("a defined name"))
}

/// What the linker of an executable does (gABI, "Symbol Table"; LLVM language reference, "Linkage
/// Types"): does the second definition take the first one's place? None where that is an error.
fn takes_over(first: Linkage, second: Linkage) -> Option<bool> {
    match (first, second) {
        (Linkage::Strong, Linkage::Strong) => None,
        (Linkage::Strong, _) => Some(false),
        (_, Linkage::Strong) => Some(true),
        (Linkage::Weak, Linkage::Common) => Some(true),
        (Linkage::Weak | Linkage::Common, _) => Some(false),
    }
}

#[test]
fn all_pairs_of_definitions_follow_the_rules() {
    for (first, second) in LINKAGES.into_iter().flat_map(|f| LINKAGES.map(|s| (f, s))) {
        let table = Table::new(false);
        assert_eq!(define(&table, "g", first, "a").unwrap(), Outcome::Taken);
        let outcome = define(&table, "g", second, "b");
        match takes_over(first, second) {
            None => {
                let error = outcome.unwrap_err();
                assert!(error.is_duplicate());
                assert_eq!(error.to_string(), "symbol g is defined twice: in a and in b");
            }
            Some(taken) => {
                let expected = if taken { Outcome::Taken } else { Outcome::Ignored };
                assert_eq!(outcome.unwrap(), expected, "{first:?}, then {second:?}");
                let linkage = if taken { second } else { first };
                let winner = if taken { "b" } else { "a" };
                let winner =
                    if linkage == Linkage::Common { "a common definition" } else { winner };
                assert_eq!(&*definer(&table, "g"), winner, "{first:?}, then {second:?}");
            }
        }
    }
}

#[test]
fn what_has_an_address_is_not_replaced() {
    for (first, second) in LINKAGES.into_iter().flat_map(|f| LINKAGES.map(|s| (f, s))) {
        let table = Table::new(false);
        define(&table, "g", first, "a").unwrap();
        let id = table.find(ScopeId::GLOBAL, b"g").unwrap();
        table.entry(id).place(0x1000);
        match define(&table, "g", second, "b") {
            Ok(outcome) => assert_eq!(outcome, Outcome::Ignored, "{first:?}, then {second:?}"),
            Err(error) => {
                assert!(error.is_duplicate() && takes_over(first, second).is_none());
            }
        }
    }
}

#[test]
fn tentative_definitions_merge() {
    let table = Table::new(false);
    let define = |size, align| {
        let descriptor = descriptor("c", Linkage::Common);
        table.define(ScopeId::GLOBAL, &descriptor, Definition::common(size, align)).unwrap().0
    };
    define(8, 4);
    define(24, 2);
    let id = define(16, 16);
    let inner = table.entry(id).lock();
    let Some(Definition::Common(extent)) = &inner.definition else { panic!("not common") };
    assert_eq!((extent.size, extent.align), (24, 16));
}

#[test]
fn a_definition_says_what_the_symbol_is() {
    let table = Table::new(false);
    let id = table.symbol(ScopeId::GLOBAL, &"f".into());
    assert_eq!(table.entry(id).state(), State::Undefined);
    let descriptor =
        Descriptor { signature: Some(7), ..Descriptor::strong("f".into(), SymbolKind::Function) };
    let made = Definition::Absolute(Addr(0x1000));
    let (again, outcome) = table.define(ScopeId::GLOBAL, &descriptor, made).unwrap();
    assert_eq!((again, outcome), (id, Outcome::Taken));
    let inner = table.entry(id).lock();
    assert_eq!(
        (inner.kind, inner.signature),
        (Some(SymbolKind::Function), std::num::NonZeroU32::new(7))
    );
    assert_eq!(table.entry(id).state(), State::Defined);
}

#[test]
fn scopes_keep_names_apart() {
    let table = Table::new(false);
    let name = Name::from("local");
    let ids = [ScopeId::GLOBAL, ScopeId(1), ScopeId(2)].map(|scope| table.symbol(scope, &name));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_eq!(table.find(ScopeId(2), b"local"), Some(ids[2]));
    assert_eq!(table.find(ScopeId(3), b"local"), None);
}

#[test]
fn threads_that_name_the_same_symbols_agree() {
    let table = Table::new(false);
    let count = 2 * chunks::ITEMS + 10;
    let name_all = || {
        let name = |number: usize| Name::from(&*format!("s{number}"));
        (0..count).map(|n| table.symbol(ScopeId::GLOBAL, &name(n))).collect::<Vec<_>>()
    };
    let found: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(name_all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(found.iter().all(|ids| *ids == found[0]));
    assert_eq!(table.symbols().count(), count);
    assert_eq!(table.name(found[0][count - 1]), Name::from(&*format!("s{}", count - 1)));
}

/// What can be asked of a table.
#[derive(Clone, Debug)]
enum Step {
    Find(u8),
    Symbol(u8),
    Define(u8, Linkage, u64),
    Place(u8),
    Claim(u8, u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let name = 0..6u8;
    let linkage = prop::sample::select(&LINKAGES);
    prop_oneof![
        name.clone().prop_map(Step::Find),
        name.clone().prop_map(Step::Symbol),
        (name.clone(), linkage, 1..64u64).prop_map(|(name, l, size)| Step::Define(name, l, size)),
        name.clone().prop_map(Step::Place),
        (name, 0..3u64).prop_map(|(name, owner)| Step::Claim(name, owner)),
    ]
}

/// What a table should know of a name.
#[derive(Default)]
struct Known {
    linkage: Option<Linkage>,
    common: u64,
    is_placed: bool,
}

/// A table, as simply as it can be said.
#[derive(Default)]
struct Model {
    names: HashMap<u8, Known>,
    groups: HashMap<u8, u64>,
}

impl Model {
    fn define(&mut self, name: u8, linkage: Linkage, size: u64) -> Option<Outcome> {
        let known = self.names.entry(name).or_default();
        let is_taken = match known.linkage {
            None => true,
            Some(old) => takes_over(old, linkage)? && !known.is_placed,
        };
        let is_merged = known.linkage == Some(Linkage::Common) && !known.is_placed;
        if linkage == Linkage::Common && (is_taken || is_merged) {
            known.common = if is_taken { size } else { known.common.max(size) };
        }
        if is_taken {
            known.linkage = Some(linkage);
        }
        Some(if is_taken { Outcome::Taken } else { Outcome::Ignored })
    }
}

fn apply(table: &Table, model: &mut Model, step: &Step) {
    let text = |name: u8| format!("name{name}");
    let find = |name| table.find(ScopeId::GLOBAL, text(name).as_bytes());
    match *step {
        Step::Find(name) => assert_eq!(find(name).is_some(), model.names.contains_key(&name)),
        Step::Symbol(name) => {
            let before = find(name);
            let id = table.symbol(ScopeId::GLOBAL, &text(name).as_str().into());
            assert!(before.is_none_or(|before| before == id));
            model.names.entry(name).or_default();
        }
        Step::Define(name, linkage, size) => {
            let made = definition(table, "module", linkage, size);
            let descriptor = descriptor(&text(name), linkage);
            let outcome = table.define(ScopeId::GLOBAL, &descriptor, made);
            let outcome = outcome.map(|(_, outcome)| outcome).ok();
            assert_eq!(outcome, model.define(name, linkage, size));
        }
        Step::Place(name) => {
            let defined = model.names.get_mut(&name).filter(|known| known.linkage.is_some());
            if let Some(known) = defined {
                known.is_placed = true;
                table.entry(find(name).expect("it was defined")).place(0x1000);
            }
        }
        Step::Claim(name, owner) => {
            let is_own = *model.groups.entry(name).or_insert(owner) == owner;
            assert_eq!(
                table.claim_group(&text(name).as_str().into(), ScopeId(owner as u32 + 1000)),
                is_own
            );
        }
    }
}

fn compare(table: &Table, model: &Model) {
    assert_eq!(table.symbols().count(), model.names.len());
    for (name, known) in &model.names {
        let id = table.find(ScopeId::GLOBAL, format!("name{name}").as_bytes()).expect("known");
        let entry = table.entry(id);
        let inner = entry.lock();
        assert_eq!(inner.definition.is_some(), known.linkage.is_some());
        if let Some(linkage) = known.linkage {
            assert_eq!(inner.linkage, linkage);
        }
        if let Some(Definition::Common(extent)) = &inner.definition {
            assert_eq!(extent.size, known.common);
        }
        let expected = if known.linkage.is_some() { State::Defined } else { State::Undefined };
        assert_eq!(entry.state(), expected);
    }
}

proptest! {
    #[test]
    fn a_table_does_as_its_model(steps in prop::collection::vec(steps(), 0..60)) {
        let (table, mut model) = (Table::new(false), Model::default());
        for step in &steps {
            apply(&table, &mut model, step);
        }
        compare(&table, &model);
    }
}
