//! What a module defines and needs, read value by value: a module can have hundreds of thousands.
#![expect(unsafe_code, reason = "the shim is C++")]

use std::marker::PhantomData;

use super::raw::*;
use super::{Kind, ModuleRef, Worker, array, kind, slice};

/// How a global value is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Linkage {
    Strong,
    Weak,
    Common,
    Private,
    Undefined,
    UndefinedWeak,
    Ignored,
}

/// One global value of a module.
#[derive(Clone, Debug)]
pub(crate) struct Symbol<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) section: &'a [u8],
    pub(crate) size: u64,
    pub(crate) align: u64,
    pub(crate) offset: i64,
    pub(crate) target: u32,
    pub(crate) unit: u32,
    pub(crate) comdat: Option<usize>,
    pub(crate) kind: Kind,
    pub(crate) linkage: Linkage,
    pub(crate) visibility: u8,
    pub(crate) is_whole: bool,
    pub(crate) is_code: bool,
}

/// What a module defines and needs. Keeps its worker from being used for anything else.
pub(crate) struct Index<'a> {
    worker: *mut RawWorker,
    module: *mut RawModule,
    count: u32,
    pub(crate) comdats: Vec<&'a [u8]>,
    pub(crate) constructors: &'a [RawStructor],
    pub(crate) destructors: &'a [RawStructor],
    /// Names that assembly binds to versions of others.
    pub(crate) versions: Vec<(&'a [u8], &'a [u8])>,
    pub(crate) has_asm: bool,
    borrowed: PhantomData<&'a mut Worker>,
}

impl Worker {
    /// What the module defines and needs.
    pub(crate) fn index(&mut self, module: ModuleRef) -> Result<Index<'_>, String> {
        // SAFETY: a struct of plain numbers and null pointers.
        let mut raw: RawIndex = unsafe { std::mem::zeroed() };
        // SAFETY: the module is this worker's.
        self.result(unsafe { vk_read_index(self.0, module.0, &raw mut raw) })?;
        // SAFETY: the arrays live until the next call, which the borrow of `self` keeps away.
        unsafe {
            let comdats = array(raw.comdats, raw.comdat_count).iter().map(|b| slice(*b)).collect();
            let versions = array(raw.versions, raw.version_count).iter();
            let versions = versions.map(|v| (slice(v.name), slice(v.version))).collect();
            Ok(Index {
                worker: self.0,
                module: module.0,
                count: raw.symbol_count as u32,
                comdats,
                constructors: array(raw.constructors, raw.constructor_count),
                destructors: array(raw.destructors, raw.destructor_count),
                versions,
                has_asm: raw.has_asm != 0,
                borrowed: PhantomData,
            })
        }
    }
}

impl<'a> Index<'a> {
    /// The value `key`, if there is one.
    pub(crate) fn symbol(&self, key: u32) -> Option<Symbol<'a>> {
        (key < self.count).then(|| {
            // SAFETY: a struct of plain numbers and null pointers, which the shim fills; the key is
            // the module's, and the index is the last that the worker read, while `self` lives.
            unsafe {
                let mut raw: RawSymbol = std::mem::zeroed();
                vk_read_symbol(self.worker, self.module, key, &raw mut raw);
                symbol(&raw)
            }
        })
    }

    /// All values, by key.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = (u32, Symbol<'a>)> {
        (0..self.count).filter_map(|key| Some((key, self.symbol(key)?)))
    }
}

/// # Safety
///
/// The texts are valid for `'a`.
unsafe fn symbol<'a>(raw: &RawSymbol) -> Symbol<'a> {
    const LINKAGES: [Linkage; 7] = [
        Linkage::Strong,
        Linkage::Weak,
        Linkage::Common,
        Linkage::Private,
        Linkage::Undefined,
        Linkage::UndefinedWeak,
        Linkage::Ignored,
    ];
    // SAFETY: the caller's promise.
    let (name, section) = unsafe { (slice(raw.name), slice(raw.section)) };
    Symbol {
        name,
        section,
        size: raw.size,
        align: raw.align,
        offset: raw.offset,
        target: raw.target,
        unit: raw.unit,
        comdat: (raw.comdat as usize).checked_sub(1),
        kind: kind(raw.kind),
        linkage: LINKAGES[usize::from(raw.linkage)],
        visibility: raw.visibility,
        is_whole: raw.flags & 1 != 0,
        is_code: raw.flags & 2 != 0,
    }
}
