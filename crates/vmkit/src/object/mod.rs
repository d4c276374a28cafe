//! Relocatable objects as modules: linked as a whole when anything in them is needed.

mod indirect;
mod sets;

use std::sync::{Arc, OnceLock};

use crate::definition::{Definition, Private, Source, Unit};
use crate::error::{Error, Result};
use crate::graph::{Binding, LinkGraph, Listed, Place, Section, SectionKind, Symbol};
use crate::link::Linker;
use crate::symbol::{Addr, Descriptor, Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility};
use crate::target::{Isa, Row, Term};

/// The key of all of an object but for its members of sets, which come after it.
const WHOLE: u64 = 0;
/// What the symbol is called that stands for all of it.
const UNIT_NAME: &[u8] = b"(object)";
/// What compilers call the start of a module's thread-local variables.
const THREAD_LOCAL_BASE: &[u8] = b"_TLS_MODULE_BASE_";

/// What an object brought along.
#[derive(Clone, Debug)]
pub struct LoadedObject {
    /// Stands for the whole object: linking it links everything in it.
    pub unit: SymbolId,
    /// How many functions it defines.
    pub functions: u64,
    /// Names it needs from elsewhere.
    pub undefined: Vec<Name>,
    /// Whether it must be linked at the start: it has constructors or destructors, or takes thread-local
    /// variables to be at fixed distances, which they must be before a thread uses them.
    pub is_needed_at_start: bool,
    name: Arc<str>,
    listing: Vec<Listed>,
}

impl LoadedObject {
    /// What it defines and needs.
    #[must_use]
    pub fn listing(&self) -> Vec<Listed> {
        self.listing.clone()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }
}

#[derive(Debug)]
struct Object {
    name: Arc<str>,
    /// By key.
    graphs: OnceLock<Vec<LinkGraph>>,
}

impl Source for Object {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, key: u64) -> Result<LinkGraph> {
        let graph = self.graphs.get().and_then(|graphs| graphs.get(key as usize));
        graph.cloned().ok_or_else(|| Error::other("an object that was not added"))
    }

    fn private(&self, key: u64) -> Private {
        let unit = if key == WHOLE { Unit::Whole } else { Unit::Data };
        Private { key, kind: SymbolKind::Data, unit }
    }
}

/// Adds an object's definitions to the table.
pub(crate) fn add(linker: &Linker, name: &str, bytes: &[u8]) -> Result<LoadedObject> {
    let name: Arc<str> = name.into();
    // Read before it is added, so that damaged input leaves nothing behind.
    let mut graph = LinkGraph::from_elf(&name, ScopeId::GLOBAL, bytes)?;
    if graph.isa != Isa::NATIVE {
        return Err(Error::input(name, format!("object for another machine ({:?})", graph.isa)));
    }
    let object = Arc::new(Object { name: name.clone(), graphs: OnceLock::new() });
    graph.scope = linker.table.add_source(object.clone(), ScopeId::GLOBAL);
    drop_other_groups(linker, &mut graph);
    // Before symbols are made references to what they define.
    let listing = graph.listing();
    place_thread_local_base(&mut graph);
    let undefined = undefined(&graph);
    linker.note_near(&graph);
    indirect::define(linker, &mut graph)?;
    let members = sets::join(linker, &mut graph)?;
    for symbol in &mut graph.symbols {
        define(linker, graph.scope, symbol)?;
    }
    sets::join_code(linker, &mut graph);
    let apart: Vec<_> =
        members.iter().map(|member| sets::take(linker, &mut graph, member)).collect();
    let unit = add_unit_symbol(linker, &mut graph);
    let is_structors = |kind| matches!(kind, SectionKind::Init(_) | SectionKind::Fini(_));
    let loaded = LoadedObject {
        unit,
        functions: graph.functions(),
        undefined,
        is_needed_at_start: graph.sections.iter().any(|section| is_structors(section.kind))
            || has_fixed_thread_locals(&graph),
        name,
        listing,
    };
    let graphs = std::iter::once(graph).chain(apart).collect();
    object.graphs.set(graphs).expect("set here only");
    Ok(loaded)
}

/// Leaves out comdat groups that another module has already brought.
fn drop_other_groups(linker: &Linker, graph: &mut LinkGraph) {
    let owner = graph.scope;
    let is_own: Vec<_> =
        graph.groups.iter().map(|name| linker.table.claim_group(name, owner)).collect();
    for section in &mut graph.sections {
        if section.group.is_some_and(|group| !is_own[group]) {
            section.kind = SectionKind::Unloaded;
        }
    }
    let LinkGraph { sections, symbols, .. } = graph;
    for symbol in symbols {
        if let Place::Section { index, .. } = symbol.place
            && !sections[index].kind.is_loaded()
        {
            symbol.place = Place::Undefined;
        }
    }
}

/// Gives the start of the object's thread-local variables its place, which a linker knows.
fn place_thread_local_base(graph: &mut LinkGraph) {
    let is_block = |section: &Section| section.kind == SectionKind::ThreadLocal && section.size > 0;
    let Some(index) = graph.sections.iter().position(is_block) else { return };
    for symbol in &mut graph.symbols {
        if symbol.place == Place::Undefined && symbol.name.bytes() == THREAD_LOCAL_BASE {
            symbol.place = Place::Section { index, offset: 0 };
            symbol.binding = Binding::Graph;
        }
    }
}

fn undefined(graph: &LinkGraph) -> Vec<Name> {
    let is_needed = |symbol: &&Symbol| {
        symbol.place == Place::Undefined && symbol.binding == Binding::Global(Linkage::Strong)
    };
    graph.symbols.iter().filter(is_needed).map(|symbol| symbol.name.clone()).collect()
}

/// Does the object take thread-local variables to be at fixed distances from the thread pointer?
fn has_fixed_thread_locals(graph: &LinkGraph) -> bool {
    let is_fixed =
        |row: &Row| matches!(row.term, Term::StaticThreadOffset | Term::StaticThreadSlot);
    let mut edges = graph.sections.iter().flat_map(|section| &section.edges);
    edges.any(|edge| Isa::NATIVE.edge(edge.kind.0).is_some_and(is_fixed))
}

fn define(linker: &Linker, scope: ScopeId, symbol: &mut Symbol) -> Result<()> {
    let Binding::Global(linkage) = symbol.binding else { return Ok(()) };
    let (align, definition) = match symbol.place {
        Place::Undefined => return Ok(()),
        Place::Absolute(value) => (1, Definition::Absolute(Addr(value))),
        Place::Common { align } => (align, Definition::common(symbol.size, align)),
        Place::Section { .. } => (1, Definition::Module { scope, key: WHOLE, unit: Unit::Whole }),
    };
    let descriptor = Descriptor { linkage, align, ..descriptor(symbol, symbol.name.clone()) };
    let (id, _) = linker.table.define(ScopeId::GLOBAL, &descriptor, definition)?;
    if !matches!(symbol.place, Place::Section { .. }) {
        refer_to(symbol, id);
    }
    Ok(())
}

/// What the table is to know of a symbol, under a name there.
fn descriptor(symbol: &Symbol, name: Name) -> Descriptor {
    Descriptor {
        linkage: match symbol.binding {
            Binding::Global(linkage) => linkage,
            _ => Linkage::Strong,
        },
        visibility: symbol.visibility,
        size: symbol.size,
        ..Descriptor::strong(name, symbol.kind.unwrap_or(SymbolKind::Data))
    }
}

/// Makes a symbol that the object defines a reference to `id`; one that all modules see is looked up in
/// the table like any other, now that it is there.
fn refer_to(symbol: &mut Symbol, id: SymbolId) {
    symbol.place = Place::Undefined;
    symbol.binding = match symbol.binding {
        Binding::Global(_) => Binding::Global(Linkage::Strong),
        _ => Binding::Session(id, Linkage::Strong),
    };
}

/// A name for what the object has for itself: several local symbols may share one, or have none.
fn local_name(graph: &LinkGraph, name: &Name, what: &str, number: usize) -> Name {
    let suffix = format!(" ({what} {number} of {})", graph.name);
    Name::new([name.bytes(), suffix.as_bytes()].concat())
}

/// Adds a private symbol for the object itself, at its first loaded section.
fn add_unit_symbol(linker: &Linker, graph: &mut LinkGraph) -> SymbolId {
    let name = Name::new(UNIT_NAME);
    let is_placed =
        |index: &usize| graph.sections[*index].kind.is_loaded() && graph.sections[*index].size > 0;
    if let Some(index) = (0..graph.sections.len()).find(is_placed) {
        graph.symbols.push(Symbol {
            name: name.clone(),
            place: Place::Section { index, offset: 0 },
            binding: Binding::Module(WHOLE),
            visibility: Visibility::Hidden,
            kind: Some(SymbolKind::Data),
            size: 0,
        });
    }
    linker.private(graph.scope, &name, WHOLE)
}

#[cfg(test)]
mod tests {
    use object::elf;

    use super::*;
    use crate::graph::sample::{Mark, Part, Sample, native_caller, pointer};
    use crate::session::Session;
    use crate::table::State;
    use crate::target::ISAS;

    fn session() -> Session {
        Session::builder().whole_process(false).compile_threads(1).build().unwrap()
    }

    fn names(names: &[Name]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    /// An object with a comdat function that returns `byte`.
    fn with_comdat(byte: u8) -> Sample {
        let parts = vec![Part::comdat(1, &[2]), Part::code(&[0xb8, byte, 0, 0, 0, 0xc3])];
        let mark = Mark { bind: elf::STB_WEAK, ..Mark::function("shared", 2, 0, 6) };
        Sample { parts, marks: vec![mark] }
    }

    #[test]
    fn an_object_says_what_it_brings_and_needs() {
        let session = session();
        let loaded = session.add_object("caller.o", &native_caller().native_bytes()).unwrap();
        assert_eq!((loaded.functions, loaded.is_needed_at_start), (1, false));
        assert_eq!(names(&loaded.undefined), ["callee"]);
        assert_eq!(&**loaded.name(), "caller.o");
        let listed: Vec<_> = loaded.listing().into_iter().map(|listed| listed.name).collect();
        assert_eq!(names(&listed), ["caller", "callee"]);
        assert!(session.is_defined(session.symbol("caller")));
        assert!(!session.is_defined(session.symbol("callee")));
    }

    #[test]
    fn any_address_links_all_of_it() {
        let session = session();
        let loaded = session.add_object("caller.o", &native_caller().native_bytes()).unwrap();
        session.compile(loaded.unit).unwrap();
        let explanation = session.explain(session.symbol("caller"));
        assert_eq!(explanation.state, State::Ready);
        assert!(matches!(explanation.size, 6 | 8));
    }

    #[test]
    fn constructors_are_noticed() {
        let part = Part {
            kind: elf::SHT_INIT_ARRAY,
            relocations: vec![(0, pointer(), 1, 0)],
            ..Part::new(".init_array.00200", elf::SHF_WRITE, &[0; 8])
        };
        let parts = vec![Part::code(&[0xc3]), part];
        let sample = Sample { parts, marks: vec![Mark::function("start", 1, 0, 1)] };
        let session = session();
        let loaded = session.add_object("start.o", &sample.native_bytes()).unwrap();
        assert!(loaded.is_needed_at_start);
        session.compile(loaded.unit).unwrap();
        let structors = session.structors();
        let address = session.explain(session.symbol("start")).address.unwrap();
        assert_eq!(structors.constructors, [(200, address)]);
        assert!(structors.destructors.is_empty());
    }

    #[test]
    fn damage_leaves_nothing_behind() {
        let session = session();
        let bytes = native_caller().native_bytes();
        let error = session.add_object("cut.o", &bytes[..bytes.len() - 1]).unwrap_err();
        assert!(error.is_input());
        assert_eq!(session.find("caller"), None);
    }

    #[test]
    fn objects_for_another_machine_are_refused() {
        let session = session();
        let mut bytes = native_caller().native_bytes();
        let other = ISAS.into_iter().find(|isa| *isa != Isa::NATIVE).unwrap();
        bytes[18..20].copy_from_slice(&other.machine.to_le_bytes());
        let error = session.add_object("other.o", &bytes).unwrap_err();
        let what = format!("other.o: object for another machine ({other:?})");
        assert_eq!(error.to_string(), what);
        assert_eq!(session.find("caller"), None);
    }

    #[test]
    fn two_strong_definitions_name_both_objects() {
        let session = session();
        session.add_object("a.o", &native_caller().native_bytes()).unwrap();
        let error = session.add_object("b.o", &native_caller().native_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "symbol caller is defined twice: in a.o and in b.o");
    }

    #[test]
    fn the_first_copy_of_a_group_counts() {
        let session = session();
        let first = session.add_object("a.o", &with_comdat(1).native_bytes()).unwrap();
        let second = session.add_object("b.o", &with_comdat(2).native_bytes()).unwrap();
        assert_eq!((first.functions, second.functions), (1, 0));
        session.compile(second.unit).unwrap();
        session.compile(session.symbol("shared")).unwrap();
        let explanation = session.explain(session.symbol("shared"));
        assert_eq!(explanation.definer, Some(crate::explain::Definer::Module("a.o".into())));
    }

    #[test]
    fn an_object_without_contents_is_fine() {
        let session = session();
        let loaded = session.add_object("empty.o", &Sample::default().native_bytes()).unwrap();
        assert_eq!((loaded.functions, loaded.undefined.len()), (0, 0));
        session.compile(loaded.unit).unwrap();
    }

    #[test]
    fn labels_where_nothing_is_have_an_address() {
        let text = Part {
            relocations: vec![(0, pointer(), 1, 0)],
            ..Part::new(".data", elf::SHF_WRITE, &[0; 8])
        };
        let parts = vec![text, Part::new(".marks", elf::SHF_WRITE, &[])];
        let marks = vec![Mark { kind: elf::STT_NOTYPE, ..Mark::function("mark", 2, 0, 0) }];
        let session = session();
        let loaded =
            session.add_object("marks.o", &Sample { parts, marks }.native_bytes()).unwrap();
        session.compile(loaded.unit).unwrap();
        assert!(session.explain(session.symbol("mark")).address.is_some());
    }
}
