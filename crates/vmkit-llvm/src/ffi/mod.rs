//! The shim, wrapped: a worker, what it reads, and what it compiles.
#![expect(unsafe_code, reason = "the shim is C++")]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use vmkit::graph::Content;
use vmkit::{Addr, Name, Session};

mod index;
mod raw;

pub(crate) use self::index::{Index, Linkage, Symbol};
use self::raw::*;
pub(crate) use self::raw::{Inlined, Pointer, RawOptions, RawStructor};

/// What a global value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Function,
    Data,
    ThreadLocal,
    Alias,
    Indirect,
}

/// A global value that compiled code or data names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed<'a> {
    /// In its module.
    pub(crate) name: &'a [u8],
    /// In the object.
    pub(crate) symbol: &'a [u8],
    /// The pool's number of the module that means it.
    pub(crate) module: usize,
    pub(crate) key: u32,
    pub(crate) kind: Kind,
    pub(crate) is_private: bool,
    pub(crate) is_weak: bool,
}

/// A compiled object and what it names; times in nanoseconds.
pub(crate) struct Object<'a> {
    pub(crate) elf: &'a [u8],
    pub(crate) needed: Vec<Needed<'a>>,
    pub(crate) inlined: &'a [Inlined],
    pub(crate) materialize_nanos: u64,
    pub(crate) optimize_nanos: u64,
    pub(crate) codegen_nanos: u64,
}

/// A variable's bytes (none if all are zero) and the pointers in them.
pub(crate) struct Data<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) size: u64,
    pub(crate) align: u64,
    pub(crate) is_constant: bool,
    pub(crate) pointers: &'a [Pointer],
    pub(crate) needed: Vec<Needed<'a>>,
}

/// A module that every worker can load.
#[derive(Clone)]
pub(crate) struct Bitcode {
    pub(crate) number: usize,
    pub(crate) name: Arc<str>,
    pub(crate) bytes: Arc<Vec<u8>>,
}

/// Says what names stand for that many modules can see.
pub(crate) trait Names {
    /// The module whose function or data the name stands for, and its key there.
    fn definition(&self, name: &[u8]) -> Option<(Bitcode, u32)>;
    /// Whether it is another name of something else.
    fn is_alias(&self, name: &[u8]) -> bool;
}

/// An LLVM context with its target machine, pipelines and modules; one thread's at a time.
pub(crate) struct Worker(*mut RawWorker);

// SAFETY: nothing in a worker is bound to the thread that made it; `&mut` keeps others out.
unsafe impl Send for Worker {}

/// A module of a worker: only ever passed back to that worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleRef(*mut RawModule);

// SAFETY: as for the worker that it belongs to.
unsafe impl Send for ModuleRef {}

/// The names of functions that code may call though its module does not name them.
pub(crate) fn runtime_functions() -> Vec<Name> {
    // SAFETY: takes nothing; what it gives is there for ever.
    names(unsafe { slice(vk_runtime_functions()) })
}

/// Names with a NUL behind each.
fn names(text: &[u8]) -> Vec<Name> {
    text.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(Name::new).collect()
}

/// Readies LLVM for this machine; more than once does no harm.
pub(crate) fn initialize() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Programs call functions for the first time while the process exits. LLVM must still be
        // whole then, so none of its static objects is ever destroyed.
        // SAFETY: the stand-in takes what `__cxa_atexit` takes, and claims success.
        let kept = unsafe {
            let stand_in = ("__cxa_atexit", Addr(keep_for_ever as *const () as u64));
            Session::replace_in_libraries(|path| path.contains("libLLVM"), &[stand_in])
        };
        // Without it, only first calls during exit are at risk.
        drop(kept);
        // SAFETY: no arguments; run once.
        unsafe { vk_initialize() }
    });
}

/// What the shim calls to ask what a name stands for.
extern "C" fn find_definition(context: *const c_void, name: Bytes, out: *mut RawDefinition) -> i32 {
    // SAFETY: `Worker::compile` gave the context along with this function.
    let names = unsafe { *context.cast::<Option<&dyn Names>>() };
    // SAFETY: the name lives through the call.
    let found = names.and_then(|names| names.definition(unsafe { slice(name) }));
    let Some((module, key)) = found else { return 0 };
    let number = module.number as u32;
    let (bitcode, name) = (Bytes::of(&module.bytes), Bytes::of(module.name.as_bytes()));
    // SAFETY: the shim's own struct. By the promise of who gave `names`, the bytes outlive the worker.
    unsafe { out.write(RawDefinition { module: number, key, bitcode, name }) };
    1
}

/// What the shim calls to ask whether a name is another's.
extern "C" fn is_alias(context: *const c_void, name: Bytes) -> i32 {
    // SAFETY: as in `find_definition`.
    let names = unsafe { *context.cast::<Option<&dyn Names>>() };
    // SAFETY: the name lives through the call.
    names.is_some_and(|names| names.is_alias(unsafe { slice(name) })).into()
}

extern "C" fn keep_for_ever(_: *const c_void, _: *const c_void, _: *const c_void) -> i32 {
    0
}

impl Worker {
    pub(crate) fn new(options: RawOptions) -> Self {
        // SAFETY: the options are read at once.
        Self(unsafe { vk_worker_new(&raw const options) })
    }

    fn result(&self, failed: i32) -> Result<(), String> {
        if failed == 0 {
            return Ok(());
        }
        // SAFETY: the text lives until the next call.
        let text = unsafe { slice(vk_error(self.0)) };
        Err(String::from_utf8_lossy(text).into_owned())
    }

    /// IR text, or bitcode in need of checking, as bitcode.
    pub(crate) fn normalize(&mut self, input: &[u8], name: &str) -> Result<Vec<u8>, String> {
        let mut out = Bytes::of(&[]);
        let (input, name) = (Bytes::of(input), Bytes::of(name.as_bytes()));
        // SAFETY: all live through the call.
        self.result(unsafe { vk_normalize(self.0, input, name, &raw mut out) })?;
        // SAFETY: valid until the next call; copied at once.
        Ok(unsafe { slice(out) }.to_vec())
    }

    /// The names that bitcode defines for other modules.
    pub(crate) fn defined_names(
        &mut self,
        bitcode: &[u8],
        name: &str,
    ) -> Result<Vec<Name>, String> {
        let mut out = Bytes::of(&[]);
        let (bitcode, name) = (Bytes::of(bitcode), Bytes::of(name.as_bytes()));
        // SAFETY: all live through the call.
        self.result(unsafe { vk_defined_names(self.0, bitcode, name, &raw mut out) })?;
        // SAFETY: valid until the next call; copied at once.
        Ok(names(unsafe { slice(out) }))
    }

    /// Loads a module lazily, unless it is loaded.
    ///
    /// # Safety
    ///
    /// The module's bitcode outlives the worker.
    pub(crate) unsafe fn load(&mut self, module: &Bitcode) -> Result<ModuleRef, String> {
        let number = module.number as u32;
        if let Some(loaded) = self.loaded(module.number) {
            return Ok(loaded);
        }
        let (bitcode, name) = (Bytes::of(&module.bytes), Bytes::of(module.name.as_bytes()));
        let mut module = ptr::null_mut();
        // SAFETY: the caller's promise; the name is copied.
        self.result(unsafe { vk_load(self.0, number, bitcode, name, &raw mut module) })?;
        Ok(ModuleRef(module))
    }

    /// Has it loaded the module of this number?
    pub(crate) fn has(&self, module: usize) -> bool {
        self.loaded(module).is_some()
    }

    fn loaded(&self, module: usize) -> Option<ModuleRef> {
        // SAFETY: a look, which cannot fail.
        let loaded = unsafe { vk_loaded(self.0, module as u32) };
        (!loaded.is_null()).then_some(ModuleRef(loaded))
    }

    /// What lies at each value, by key; none where it is not for listing.
    pub(crate) fn contents(&mut self, module: ModuleRef) -> Result<Vec<Option<Content>>, String> {
        const CONTENTS: [Option<Content>; 5] = [
            Some(Content::Code),
            Some(Content::Constant),
            Some(Content::Data),
            Some(Content::Zeros),
            None,
        ];
        let mut out = Bytes::of(&[]);
        // SAFETY: the module is this worker's.
        self.result(unsafe { vk_read_contents(self.0, module.0, &raw mut out) })?;
        // SAFETY: valid until the next call; copied at once.
        let bytes = unsafe { slice(out) };
        Ok(bytes.iter().map(|&number| CONTENTS[usize::from(number)]).collect())
    }

    /// Compiles the unit `key`, inlining what `names` says names stand for, if it is given.
    ///
    /// # Safety
    ///
    /// The bitcode that `names` gives outlives the worker.
    pub(crate) unsafe fn compile(
        &mut self,
        module: ModuleRef,
        key: u32,
        names: Option<&dyn Names>,
    ) -> Result<Object<'_>, String> {
        let context = (&raw const names).cast();
        let session = RawSession { context, find: find_definition, is_alias };
        let session = names.map_or(ptr::null(), |_| &raw const session);
        self.object(|worker, object| {
            // SAFETY: the module is this worker's, the key one of its index; `names` lives through the
            // call.
            unsafe { vk_compile(worker, module.0, key, session, object) }
        })
    }

    /// Drops what the last compile left behind.
    pub(crate) fn tidy(&mut self) -> Result<(), String> {
        // SAFETY: nothing that was handed out lies there.
        self.result(unsafe { vk_tidy(self.0) })
    }

    /// Compiles the module's assembly.
    pub(crate) fn compile_assembly(&mut self, module: ModuleRef) -> Result<Object<'_>, String> {
        // SAFETY: the module is this worker's.
        self.object(|worker, object| unsafe { vk_compile_asm(worker, module.0, object) })
    }

    /// The hash of the body of the function `key`.
    pub(crate) fn body_hash(&mut self, module: ModuleRef, key: u32) -> Result<u64, String> {
        let mut hash = 0;
        // SAFETY: the module is this worker's, the key one of its index.
        self.result(unsafe { vk_body_hash(self.0, module.0, key, &raw mut hash) })?;
        Ok(hash)
    }

    fn object(
        &mut self,
        compile: impl FnOnce(*mut RawWorker, *mut RawObject) -> i32,
    ) -> Result<Object<'_>, String> {
        // SAFETY: a struct of plain numbers and null pointers.
        let mut raw: RawObject = unsafe { std::mem::zeroed() };
        self.result(compile(self.0, &raw mut raw))?;
        // SAFETY: as in `index`.
        unsafe {
            Ok(Object {
                elf: slice(raw.object),
                needed: needed(raw.needed, raw.needed_count),
                inlined: array(raw.inlined, raw.inlined_count),
                materialize_nanos: raw.materialize_nanos,
                optimize_nanos: raw.optimize_nanos,
                codegen_nanos: raw.codegen_nanos,
            })
        }
    }

    /// The type of the function `key`.
    pub(crate) fn signature(&mut self, module: ModuleRef, key: u32) -> Result<String, String> {
        let mut out = Bytes::of(&[]);
        // SAFETY: the module is this worker's, the key one of its index.
        self.result(unsafe { vk_signature(self.0, module.0, key, &raw mut out) })?;
        // SAFETY: valid until the next call; copied at once.
        Ok(String::from_utf8_lossy(unsafe { slice(out) }).into_owned())
    }

    /// The bytes of the variable `key`.
    pub(crate) fn lower_data(&mut self, module: ModuleRef, key: u32) -> Result<Data<'_>, String> {
        // SAFETY: a struct of plain numbers and null pointers.
        let mut raw: RawData = unsafe { std::mem::zeroed() };
        // SAFETY: the module is this worker's, the key one of its index.
        self.result(unsafe { vk_lower_data(self.0, module.0, key, &raw mut raw) })?;
        // SAFETY: as in `index`.
        unsafe {
            Ok(Data {
                bytes: slice(raw.bytes),
                size: raw.size,
                align: raw.align,
                is_constant: raw.is_constant != 0,
                pointers: array(raw.pointers, raw.pointer_count),
                needed: needed(raw.needed, raw.needed_count),
            })
        }
    }
}

impl ModuleRef {
    /// The key of the module's private definition of this name.
    pub(crate) fn find_private(self, name: &[u8]) -> Option<u32> {
        // SAFETY: whoever has a module holds its worker, and nothing is changed.
        let key = unsafe { vk_find_private(self.0, Bytes::of(name)) };
        (key != u32::MAX).then_some(key)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SAFETY: made by `vk_worker_new`, and not used after.
        unsafe { vk_worker_free(self.0) }
    }
}

/// # Safety
///
/// The bytes are valid for `'a`.
unsafe fn slice<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { array(bytes.data, bytes.size) }
}

/// # Safety
///
/// `len` elements from `data` on are valid for `'a`.
unsafe fn array<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// # Safety
///
/// As for [`array()`], and the names are valid as long.
unsafe fn needed<'a>(data: *const RawNeeded, len: usize) -> Vec<Needed<'a>> {
    // SAFETY: the caller's promise.
    let raw = unsafe { array(data, len) };
    raw.iter()
        .map(|raw| Needed {
            // SAFETY: the caller's promise.
            name: unsafe { slice(raw.name) },
            // SAFETY: the caller's promise.
            symbol: unsafe { slice(raw.symbol) },
            module: raw.module as usize,
            key: raw.key,
            kind: kind(raw.kind),
            is_private: raw.is_private != 0,
            is_weak: raw.is_weak != 0,
        })
        .collect()
}

fn kind(number: u8) -> Kind {
    [Kind::Function, Kind::Data, Kind::ThreadLocal, Kind::Alias, Kind::Indirect]
        [usize::from(number)]
}
