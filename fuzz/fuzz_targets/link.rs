//! A relocatable object that can be read is linked, or refused with an error. Nothing is run.
#![no_main]

use std::ffi::c_char;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use vmkit::graph::{Binding, LinkGraph, Place, SectionKind};
use vmkit::listener::{Linked, Listener};
use vmkit::{
    Addr, Descriptor, Linkage, Name, Private, Result, ScopeId, Session, Source, SymbolKind, Unit,
};

/// One session for all inputs: its compile threads and thread-local images live as long as the
/// process.
static SESSION: LazyLock<Session> = LazyLock::new(|| {
    let session = Session::builder().whole_process(false).compile_threads(1).reach(1 << 16);
    let session = session.listener(Arc::new(Reader)).build().expect("a session");
    session.define_absolute("near", Addr(0x1000)).expect("a new name");
    session.define_absolute("far", Addr(0x7000_0000_0000)).expect("a new name");
    session
});

/// Reads all that it is told of.
struct Reader;

impl Listener for Reader {
    fn linked(&self, event: &Linked<'_>) {
        let count = event.functions().len();
        assert!(count <= event.graph.symbols.len());
        for (section, loaded) in event.graph.sections.iter().zip(&event.sections) {
            let size = loaded.as_ref().map(|loaded| loaded.bytes.len() as u64);
            assert!(size.is_none_or(|size| size == section.size));
        }
    }
}

/// An input as a module with one definition.
struct Input {
    name: Arc<str>,
    graph: LinkGraph,
}

impl Source for Input {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        Ok(self.graph.clone())
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Data, unit: Unit::Whole }
    }
}

fuzz_target!(|bytes: &[u8]| {
    static INPUTS: AtomicU64 = AtomicU64::new(0);
    let serial = INPUTS.fetch_add(1, Ordering::Relaxed);
    let name: Arc<str> = format!("{serial}").into();
    let Ok(mut graph) = LinkGraph::from_elf(&name, ScopeId::GLOBAL, bytes) else { return };
    // Gigabytes of zeros are no mistake of the linker's, but end the fuzzing.
    if graph.sections.iter().any(|section| section.size > 1 << 16 || section.align > 1 << 12) {
        return;
    }
    for section in &mut graph.sections {
        // The unwinder keeps what it is told of for ever.
        if section.kind == SectionKind::Unwind {
            section.kind = SectionKind::ReadOnly;
        }
    }
    // What it defines does not compete with what earlier inputs did.
    for symbol in graph.symbols.iter_mut().filter(|s| s.place != Place::Undefined) {
        symbol.name = Name::new([name.as_bytes(), b".", symbol.name.bytes()].concat());
        if matches!(symbol.place, Place::Common { .. }) {
            symbol.binding = Binding::Global(Linkage::Strong);
        }
    }
    graph.entry = graph.symbols.iter().position(|s| matches!(s.place, Place::Section { .. }));
    let descriptor = Descriptor::strong(Name::new(name.as_bytes()), SymbolKind::Function);
    let scope = SESSION.add_source(Arc::new(Input { name, graph }));
    let (id, _) = SESSION.define(&descriptor, scope, 0, Unit::Whole).expect("a new name");
    if let Err(error) = SESSION.compile(id) {
        assert!(!error.to_string().contains("panicked"), "{error}");
    }
});

/// Thread-local images are never freed, by design.
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const c_char {
    c"detect_leaks=0".as_ptr()
}
