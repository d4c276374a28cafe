//! Compiled functions become link graphs.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::{ExternalName, Function, KnownSymbol, UserExternalName};
use cranelift_codegen::{CompiledCode, Context, FinalizedMachReloc, FinalizedRelocTarget};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};
use vmkit::graph::{Binding, Edge, LinkGraph, Place, Section, SectionKind, Symbol};
use vmkit::{Error, Linkage, Name, Result, Session, SymbolKind, Visibility};

use crate::compile::{Compiler, Work};
use crate::lines::{self, DebugSection};
use crate::machine::Machine;
use crate::names::{self, Meaning};
use crate::notes;
use crate::spare::Lists;
use crate::unwind::{Of, Records};

/// The section of the code, in the numbers of the symbols; the function itself comes before it.
const CODE: usize = 1;

/// The number of the section that has the table of a function's handlers, if there is one: code and
/// unwind records come before it.
const TABLE: usize = 2;

/// The name of the routine that reads tables of handlers.
pub(crate) const PERSONALITY: &str = "vmkit_cranelift_personality";

/// The graph of the function that a context has compiled.
pub(crate) fn graph(compiler: &Compiler, work: &Work<'_>, context: &Context) -> Result<LinkGraph> {
    let code = context.compiled_code().ok_or_else(|| Error::other("nothing was compiled"))?;
    let Work { name, module, .. } = *work;
    let mut needs = Needs::new(compiler, work, &context.func, code);
    let section = needs.code(code)?;
    needs.lists.push(section);
    let (notes, table) = notes::notes(code, compiler.machine);
    if compiler.isa.flags().unwind_info() {
        let records = compiler.unwind.records(&*compiler.isa, code, table.is_some());
        let records = records.map_err(|what| Error::compile(name.clone(), what))?;
        if let Some(records) = records {
            let size = code.buffer.data().len();
            let section = needs.unwind(&records, size);
            needs.lists.push(section);
            table.map(table_section).into_iter().for_each(|section| needs.lists.push(section));
        }
    }
    if let Some(positions) = compiler.positions.get() {
        let debug = lines::sections(&name.to_string(), code, positions);
        let debug = debug.map_err(|what| Error::compile(name.clone(), what))?;
        let debug = debug.into_iter().map(|part| debug_section(compiler.machine, part));
        debug.for_each(|section| needs.lists.push(section));
    }
    let (sections, symbols) = needs.lists.finish();
    let isa = compiler.machine.isa;
    Ok(LinkGraph { isa, notes, ..LinkGraph::of_sections(module.clone(), sections, symbols) })
}

/// The symbols that code needs, as they are found.
struct Needs<'a> {
    compiler: &'a Compiler,
    work: &'a Work<'a>,
    function: &'a Function,
    /// The symbols, and memory for sections.
    lists: Lists,
    /// What is known of names of the user's, by their numbers.
    user: SmallVec<[User; 8]>,
    /// Numbers of the symbols that other names stand for.
    others: FxHashMap<&'a ExternalName, usize>,
}

/// What is known of a name of the user's.
#[derive(Clone, Copy, Default)]
struct User {
    is_function: bool,
    /// The number of the symbol that it stands for, if there is one yet.
    number: Option<usize>,
}

impl<'a> Needs<'a> {
    fn new(
        compiler: &'a Compiler,
        work: &'a Work<'a>,
        function: &'a Function,
        code: &CompiledCode,
    ) -> Self {
        let entry = Symbol {
            name: work.name.clone(),
            place: Place::Section { index: 0, offset: 0 },
            binding: Binding::Global(Linkage::Strong),
            visibility: Visibility::Default,
            kind: Some(SymbolKind::Function),
            size: code.buffer.data().len() as u64,
        };
        let names = function.params.user_named_funcs().len();
        let mut user: SmallVec<[User; 8]> = smallvec![User::default(); names];
        for data in function.dfg.ext_funcs.values() {
            if let ExternalName::User(name) = data.name
                && let Some(known) = user.get_mut(name.index())
            {
                known.is_function = true;
            }
        }
        let mut lists = compiler.spare.take();
        lists.symbols.reserve_exact(2 + names);
        lists.symbols.extend([entry, section_symbol(0)]);
        Self { compiler, work, function, lists, user, others: FxHashMap::default() }
    }

    fn fail(&self, what: impl std::fmt::Display) -> Error {
        Error::compile(self.work.name.clone(), what)
    }

    /// The section of the code, with its constants and jump tables.
    fn code(&mut self, code: &'a CompiledCode) -> Result<Section> {
        let data = code.buffer.data();
        let relocations = code.buffer.relocs();
        let (mut bytes, mut edges) = self.lists.content();
        bytes.extend_from_slice(data);
        edges.reserve_exact(relocations.len());
        for relocation in relocations {
            edges.push(self.edge(relocation, data)?);
        }
        let least = self.compiler.isa.function_alignment().minimum.max(1);
        Ok(Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: u64::from(code.buffer.alignment.max(least)),
            size: bytes.len() as u64,
            bytes,
            edges,
            group: None,
        })
    }

    fn edge(&mut self, relocation: &'a FinalizedMachReloc, bytes: &[u8]) -> Result<Edge> {
        let FinalizedMachReloc { offset, kind, target, addend } = relocation;
        let Some(edge) = (self.compiler.machine.edge)(*kind, bytes, *offset) else {
            return Err(self.fail(format!("relocations of the kind {kind} cannot be linked")));
        };
        let (target, addend) = match target {
            FinalizedRelocTarget::ExternalName(name) => (self.symbol(name, *kind)?, *addend),
            FinalizedRelocTarget::Func(at) => (CODE, *addend + i64::from(*at)),
        };
        Ok(Edge { offset: u64::from(*offset), kind: edge, target, addend })
    }

    /// The number of the symbol that a name stands for.
    fn symbol(&mut self, name: &'a ExternalName, kind: Reloc) -> Result<usize> {
        let known = match name {
            ExternalName::User(name) => self.user.get(name.index()).and_then(|user| user.number),
            other => self.others.get(other).copied(),
        };
        if let Some(number) = known {
            return Ok(number);
        }
        let symbol = match name {
            ExternalName::User(reference) => {
                let name = self.function.params.user_named_funcs().get(*reference);
                let name = name.ok_or_else(|| self.fail(format!("{reference} names nothing")))?;
                self.user(name, kind, self.user[reference.index()].is_function)?
            }
            ExternalName::LibCall(call) => {
                function((self.compiler.libcall_names)(*call).as_str().into())
            }
            ExternalName::TestCase(name) => match names::read(name.raw()) {
                Some(name) => self.user(&name, kind, false)?,
                None => function(Name::new(name.raw())),
            },
            ExternalName::KnownSymbol(KnownSymbol::ElfGlobalOffsetTable) => {
                Symbol::undefined("_GLOBAL_OFFSET_TABLE_".into())
            }
            ExternalName::KnownSymbol(symbol) => {
                return Err(self.fail(format!("{symbol} is nothing that could be linked")));
            }
        };
        let number = self.add(symbol);
        match name {
            ExternalName::User(name) => self.user[name.index()].number = Some(number),
            other => drop(self.others.insert(other, number)),
        }
        Ok(number)
    }

    fn user(&self, name: &UserExternalName, kind: Reloc, is_function: bool) -> Result<Symbol> {
        let meaning = (self.work.meaning)(name).map_err(|error| self.fail(error))?;
        let kind = match kind {
            _ if is_function => SymbolKind::Function,
            Reloc::ElfX86_64TlsGd
            | Reloc::Aarch64TlsDescAdrPage21
            | Reloc::Aarch64TlsDescLd64Lo12
            | Reloc::Aarch64TlsDescAddLo12
            | Reloc::Aarch64TlsDescCall => SymbolKind::ThreadLocal,
            _ => SymbolKind::Data,
        };
        Ok(of_session(self.work.session, meaning, kind))
    }

    /// The section of the unwind records of a function of `size` bytes.
    fn unwind(&mut self, records: &Records, size: usize) -> Section {
        let (bytes, mut edges) = self.lists.content();
        edges.reserve_exact(records.references.len());
        for reference in &records.references {
            let target = match reference.of {
                Of::Code => CODE,
                Of::Table => self.add(section_symbol(TABLE)),
                Of::Personality => self.add(function(PERSONALITY.into())),
            };
            let Machine { relative, absolute, .. } = *self.compiler.machine;
            let kind = if reference.is_relative { relative } else { absolute };
            edges.push(Edge { offset: reference.offset, kind, target, addend: 0 });
        }
        let bytes = records.of_size(size, bytes);
        Section {
            name: ".eh_frame".into(),
            kind: SectionKind::Unwind,
            align: 8,
            size: bytes.len() as u64,
            bytes,
            edges,
            group: None,
        }
    }

    fn add(&mut self, symbol: Symbol) -> usize {
        self.lists.symbols.push(symbol);
        self.lists.symbols.len() - 1
    }
}

/// The symbol of a section as such.
pub(crate) fn section_symbol(index: usize) -> Symbol {
    Symbol {
        name: "".into(),
        place: Place::Section { index, offset: 0 },
        binding: Binding::Graph,
        visibility: Visibility::Default,
        kind: None,
        size: 0,
    }
}

/// A function that is known by its name.
pub(crate) fn function(name: Name) -> Symbol {
    Symbol { kind: Some(SymbolKind::Function), ..Symbol::undefined(name) }
}

/// A symbol of the session's.
pub(crate) fn of_session(session: &Session, meaning: Meaning, kind: SymbolKind) -> Symbol {
    let Meaning { id, linkage } = meaning;
    Symbol {
        kind: Some(kind),
        binding: Binding::Session(id, linkage),
        ..Symbol::undefined(session.name(id))
    }
}

/// As [`of_session`], of whatever the session takes it for.
pub(crate) fn known(session: &Session, meaning: Meaning) -> Symbol {
    Symbol { kind: None, ..of_session(session, meaning, SymbolKind::Function) }
}

fn debug_section(machine: &Machine, part: DebugSection) -> Section {
    let edge = |(offset, addend)| Edge { offset, kind: machine.absolute, target: CODE, addend };
    Section {
        name: part.name.into(),
        kind: SectionKind::Unloaded,
        align: 1,
        size: part.bytes.len() as u64,
        bytes: part.bytes,
        edges: part.addresses.into_iter().map(edge).collect(),
        group: None,
    }
}

fn table_section(bytes: Vec<u8>) -> Section {
    Section {
        name: ".handlers".into(),
        kind: SectionKind::ReadOnly,
        align: 4,
        size: bytes.len() as u64,
        bytes,
        edges: Vec::new(),
        group: None,
    }
}
