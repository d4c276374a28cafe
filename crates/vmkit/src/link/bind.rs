//! Symbols of a graph become symbols of the session, and what each use of them needs.

use smallvec::{SmallVec, smallvec};

use super::Linker;
use crate::allocation::{Allocation, AllocationId};
use crate::definition::{Definition, Unit};
use crate::error::{Error, Result};
use crate::graph::{Binding, LinkGraph, Place, SectionKind, Symbol};
use crate::symbol::{Addr, Linkage, ScopeId, SymbolId, SymbolKind};
use crate::table::{Dependent, Event};
use crate::target::{Isa, Term};

/// What a graph's symbol is in the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// Nothing: a symbol of a section that was left out.
    Dead,
    /// A place in the graph itself.
    Section { index: usize, offset: u64 },
    /// A fixed value.
    Fixed(u64),
    /// A symbol of the table.
    Symbol { id: SymbolId, is_weak: bool },
}

/// How a graph uses a symbol.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Use {
    pub(super) calls: bool,
    pub(super) address: bool,
    pub(super) pair: bool,
}

/// A symbol that a graph defines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defined {
    pub(super) id: SymbolId,
    pub(super) section: usize,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// So many symbols most functions have: lists of theirs need no memory of their own.
const FEW: usize = 6;

/// The symbols of a graph, by the graph's numbers.
pub(super) struct Symbols {
    pub(super) targets: SmallVec<[Target; FEW]>,
    pub(super) uses: SmallVec<[Use; FEW]>,
    pub(super) defined: SmallVec<[Defined; 1]>,
}

/// The values that edges of a graph use, by the graph's numbers of the symbols.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Value {
    /// The address as data sees it.
    pub(super) address: u64,
    /// Where calls go that cannot be bound.
    pub(super) call: u64,
    /// The thread-local pair.
    pub(super) pair: Addr,
    /// The function that calls can be bound to.
    pub(super) late: Option<SymbolId>,
    /// The data that the address is that of, or in.
    pub(super) data: Option<SymbolId>,
}

/// A graph, its symbols and all they need.
pub(super) struct Bound<'a> {
    pub(super) graph: &'a LinkGraph,
    pub(super) symbols: &'a Symbols,
    pub(super) values: Values,
}

/// Values, by the graph's numbers of the symbols.
pub(super) type Values = SmallVec<[Value; FEW]>;

impl Linker {
    /// Finds the session's symbols for those of the graph that `unit`'s definition gave.
    pub(super) fn bind(&self, unit: SymbolId, graph: &LinkGraph) -> Result<Symbols> {
        let uses = uses(graph)?;
        let home = self.table.home(graph.scope);
        let mut targets = SmallVec::with_capacity(graph.symbols.len());
        let mut defined = SmallVec::new();
        for (number, (symbol, used)) in graph.symbols.iter().zip(&uses).enumerate() {
            let target = match symbol.place {
                Place::Section { index, offset } if graph.entry == Some(number) => {
                    defined.push(Defined { id: unit, section: index, offset, size: symbol.size });
                    Target::Symbol { id: unit, is_weak: false }
                }
                Place::Undefined if *used == Use::default() => Target::Dead,
                Place::Undefined => self.bind_needed(home, graph, symbol),
                Place::Absolute(value) => Target::Fixed(value),
                Place::Section { index, offset } => {
                    self.bind_defined((unit, home), graph, symbol, (index, offset), &mut defined)?
                }
                Place::Common { .. } => {
                    let what = format!("tentative definition of {} in code", symbol.name);
                    return Err(Error::input(graph.name.clone(), what));
                }
            };
            targets.push(target);
        }
        Ok(Symbols { targets, uses, defined })
    }

    pub(super) fn bind_needed(&self, home: ScopeId, graph: &LinkGraph, symbol: &Symbol) -> Target {
        let (id, is_weak) = match symbol.binding {
            Binding::Graph => return Target::Dead,
            Binding::Module(key) => (self.private(graph.scope, &symbol.name, key), false),
            Binding::Imported(scope, key) => (self.private(scope, &symbol.name, key), false),
            Binding::Session(id, linkage) => (id, linkage == Linkage::Weak),
            Binding::Global(linkage) => {
                let id = self.table.lookup(home, &symbol.name);
                (id, linkage == Linkage::Weak)
            }
        };
        if let Some(kind) = symbol.kind {
            self.table.entry(id).lock().kind.get_or_insert(kind);
        }
        Target::Symbol { id, is_weak }
    }

    fn bind_defined(
        &self,
        (unit, home): (SymbolId, ScopeId),
        graph: &LinkGraph,
        symbol: &Symbol,
        (index, offset): (usize, u64),
        defined: &mut SmallVec<[Defined; 1]>,
    ) -> Result<Target> {
        let place = Target::Section { index, offset };
        let (id, is_weak) = match symbol.binding {
            Binding::Graph => return Ok(place),
            Binding::Module(key) => (self.private(graph.scope, &symbol.name, key), false),
            Binding::Imported(scope, key) => (self.private(scope, &symbol.name, key), false),
            Binding::Session(id, _) => (id, false),
            Binding::Global(linkage) => {
                let id = self.table.symbol(home, &symbol.name);
                (id, linkage == Linkage::Weak)
            }
        };
        if !self.is_defined_by(id, unit) {
            let entry = self.table.entry(id);
            let mut inner = entry.lock();
            match &inner.definition {
                // A by-product that others may have as well: a copy of its own serves each.
                None if is_weak => return Ok(place),
                // A by-product of this compile, such as a label in inline assembly.
                None => {
                    inner.kind = Some(symbol.kind.unwrap_or(SymbolKind::Data));
                    let definition = self.table.entry(unit).lock().definition.clone();
                    drop(self.table.replace(id, &mut inner, definition));
                    entry.advance(Event::Define);
                }
                Some(_) => return Ok(Target::Symbol { id, is_weak }),
            }
        }
        defined.push(Defined { id, section: index, offset, size: symbol.size });
        Ok(Target::Symbol { id, is_weak: false })
    }

    /// Is `id` the symbol being linked, or one that its definition brings along?
    fn is_defined_by(&self, id: SymbolId, unit: SymbolId) -> bool {
        if id == unit {
            return true;
        }
        let (Some(one), Some(other)) = (
            self.table.entry(id).lock().definition.clone(),
            self.table.entry(unit).lock().definition.clone(),
        ) else {
            return false;
        };
        one.is_same_unit(&other)
    }

    /// Makes everything exist that the graph's symbols need to have an address.
    pub(super) fn require(
        &self,
        unit: SymbolId,
        own: &mut Allocation,
        symbols: &Symbols,
    ) -> Result<Values> {
        let mut values: Values = smallvec![Value::default(); symbols.targets.len()];
        for ((target, used), value) in symbols.targets.iter().zip(&symbols.uses).zip(&mut values) {
            let Target::Symbol { id, is_weak } = *target else { continue };
            if used.address && !(is_weak && self.is_absent(id)?) {
                (value.address, value.data) = self.address_for(id, unit, own)?;
            }
            if used.calls {
                (value.call, value.late) = self.callee(id, unit)?;
            }
            if used.pair {
                value.pair = self.pair(id, unit)?;
            }
        }
        Ok(values)
    }

    /// The address of `id`, and the data that it is that of. Since that has no stub, code takes the
    /// address for granted, which is noted.
    fn address_for(
        &self,
        id: SymbolId,
        unit: SymbolId,
        own: &mut Allocation,
    ) -> Result<(u64, Option<SymbolId>)> {
        let (target, _) = self.target(id)?;
        let data = self.is_data(target).then_some(target);
        if let Some(data) = data
            && own.id != AllocationId::PERMANENT
        {
            // Before it is read: whoever moves it will find this.
            self.table.entry(data).lock().add_dependent(Dependent { owner: own.id, hash: None });
            own.relies_on.push(data);
        }
        Ok((self.address(id, unit)?, data))
    }

    /// Where calls of `id` go, or the function they can be bound to.
    fn callee(&self, id: SymbolId, unit: SymbolId) -> Result<(u64, Option<SymbolId>)> {
        self.table.check(id)?;
        let inner = self.table.entry(id).lock();
        match inner.definition {
            Some(Definition::Alias(_)) => {}
            Some(Definition::Module { unit: Unit::Data, .. }) => {
                drop(inner);
                return Ok((self.address(id, unit)?, None));
            }
            _ => return Ok((0, Some(id))),
        }
        drop(inner);
        match self.target(id)? {
            (target, 0) => self.callee(target, unit),
            _ => Ok((self.address(id, unit)?, None)),
        }
    }
}

/// How each symbol is used by the edges of the graph's loaded sections.
fn uses(graph: &LinkGraph) -> Result<SmallVec<[Use; FEW]>> {
    if graph.isa != Isa::NATIVE {
        let what = format!("code for {:?}, which does not run here", graph.isa);
        return Err(Error::input(graph.name.clone(), what));
    }
    let mut uses: SmallVec<[Use; FEW]> = smallvec![Use::default(); graph.symbols.len()];
    let loaded = graph.sections.iter().filter(|section| section.kind.is_loaded());
    for section in loaded.filter(|section| section.kind != SectionKind::StackMaps) {
        for edge in &section.edges {
            let row = Isa::NATIVE.edge(edge.kind.0).ok_or_else(|| {
                let what = format!("relocation type {} is not supported", edge.kind.0);
                Error::input(graph.name.clone(), what)
            })?;
            let used = &mut uses[edge.target];
            match row.term {
                Term::Call => used.calls = true,
                Term::ThreadPair
                | Term::ThreadDescriptor
                | Term::StaticThreadOffset
                | Term::StaticThreadSlot => used.pair = true,
                Term::Address | Term::Slot | Term::SlotLoad => used.address = true,
                _ => {}
            }
        }
    }
    Ok(uses)
}
