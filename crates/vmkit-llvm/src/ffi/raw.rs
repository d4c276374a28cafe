//! The shim's C interface (`shim/shim.h`), declared once more.
#![expect(unsafe_code, reason = "the shim is C++")]

use std::ffi::c_void;

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    pub(super) data: *const u8,
    pub(super) size: usize,
}

impl Bytes {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), size: bytes.len() }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RawOptions {
    pub(crate) level: u8,
    pub(crate) keep_debug: u8,
    pub(crate) far_data: u8,
    pub(crate) inlining: u8,
    pub(crate) native_cpu: u8,
    pub(crate) redefinition: u8,
    pub(crate) polls: u8,
}

#[repr(C)]
pub(super) struct RawSymbol {
    pub(super) name: Bytes,
    pub(super) section: Bytes,
    pub(super) size: u64,
    pub(super) align: u64,
    pub(super) offset: i64,
    pub(super) target: u32,
    pub(super) unit: u32,
    pub(super) comdat: u32,
    pub(super) kind: u8,
    pub(super) linkage: u8,
    pub(super) visibility: u8,
    pub(super) flags: u8,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawStructor {
    pub(crate) function: u32,
    pub(crate) priority: u16,
}

#[repr(C)]
pub(super) struct RawVersion {
    pub(super) name: Bytes,
    pub(super) version: Bytes,
}

#[repr(C)]
pub(super) struct RawIndex {
    pub(super) symbol_count: usize,
    pub(super) comdats: *const Bytes,
    pub(super) comdat_count: usize,
    pub(super) constructors: *const RawStructor,
    pub(super) constructor_count: usize,
    pub(super) destructors: *const RawStructor,
    pub(super) destructor_count: usize,
    pub(super) versions: *const RawVersion,
    pub(super) version_count: usize,
    pub(super) has_asm: u8,
}

#[repr(C)]
pub(super) struct RawNeeded {
    pub(super) name: Bytes,
    pub(super) symbol: Bytes,
    pub(super) module: u32,
    pub(super) key: u32,
    pub(super) kind: u8,
    pub(super) is_private: u8,
    pub(super) is_weak: u8,
}

/// A function whose body is part of the compiled code: its number in what the object names.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlined {
    pub(crate) needed: u32,
    pub(crate) module: u32,
    pub(crate) hash: u64,
}

/// The function that a name stands for.
#[repr(C)]
pub(super) struct RawDefinition {
    pub(super) module: u32,
    pub(super) key: u32,
    pub(super) bitcode: Bytes,
    pub(super) name: Bytes,
}

/// Who decides what names stand for.
#[repr(C)]
pub(super) struct RawSession {
    pub(super) context: *const c_void,
    pub(super) find: extern "C" fn(*const c_void, Bytes, *mut RawDefinition) -> i32,
    pub(super) is_alias: extern "C" fn(*const c_void, Bytes) -> i32,
}

#[repr(C)]
pub(super) struct RawObject {
    pub(super) object: Bytes,
    pub(super) needed: *const RawNeeded,
    pub(super) needed_count: usize,
    pub(super) inlined: *const Inlined,
    pub(super) inlined_count: usize,
    pub(super) load_nanos: u64,
    pub(super) materialize_nanos: u64,
    pub(super) optimize_nanos: u64,
    pub(super) codegen_nanos: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointer {
    pub(crate) offset: u64,
    pub(crate) addend: i64,
    pub(crate) needed: u32,
    pub(crate) size: u8,
    pub(crate) is_relative: u8,
}

#[repr(C)]
pub(super) struct RawData {
    pub(super) bytes: Bytes,
    pub(super) size: u64,
    pub(super) align: u64,
    pub(super) is_constant: u8,
    pub(super) pointers: *const Pointer,
    pub(super) pointer_count: usize,
    pub(super) needed: *const RawNeeded,
    pub(super) needed_count: usize,
}

/// A worker's LLVM module.
#[repr(C)]
pub(crate) struct RawModule {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(super) struct RawWorker {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub(super) fn vk_initialize();
    pub(super) fn vk_worker_new(options: *const RawOptions) -> *mut RawWorker;
    pub(super) fn vk_worker_free(worker: *mut RawWorker);
    pub(super) fn vk_error(worker: *mut RawWorker) -> Bytes;
    pub(super) fn vk_normalize(
        worker: *mut RawWorker,
        input: Bytes,
        name: Bytes,
        out: *mut Bytes,
    ) -> i32;
    pub(super) fn vk_runtime_functions() -> Bytes;
    pub(super) fn vk_defined_names(
        worker: *mut RawWorker,
        bitcode: Bytes,
        name: Bytes,
        out: *mut Bytes,
    ) -> i32;
    pub(super) fn vk_loaded(worker: *mut RawWorker, number: u32) -> *mut RawModule;
    pub(super) fn vk_load(
        worker: *mut RawWorker,
        number: u32,
        bitcode: Bytes,
        name: Bytes,
        out: *mut *mut RawModule,
    ) -> i32;
    pub(super) fn vk_read_index(
        worker: *mut RawWorker,
        module: *mut RawModule,
        out: *mut RawIndex,
    ) -> i32;
    pub(super) fn vk_read_symbol(
        worker: *mut RawWorker,
        module: *mut RawModule,
        key: u32,
        out: *mut RawSymbol,
    );
    pub(super) fn vk_compile(
        worker: *mut RawWorker,
        module: *mut RawModule,
        key: u32,
        session: *const RawSession,
        out: *mut RawObject,
    ) -> i32;
    pub(super) fn vk_body_hash(
        worker: *mut RawWorker,
        module: *mut RawModule,
        key: u32,
        out: *mut u64,
    ) -> i32;
    pub(super) fn vk_tidy(worker: *mut RawWorker) -> i32;
    pub(super) fn vk_compile_asm(
        worker: *mut RawWorker,
        module: *mut RawModule,
        out: *mut RawObject,
    ) -> i32;
    pub(super) fn vk_lower_data(
        worker: *mut RawWorker,
        module: *mut RawModule,
        key: u32,
        out: *mut RawData,
    ) -> i32;
    pub(super) fn vk_read_contents(
        worker: *mut RawWorker,
        module: *mut RawModule,
        out: *mut Bytes,
    ) -> i32;
    pub(super) fn vk_signature(
        worker: *mut RawWorker,
        module: *mut RawModule,
        key: u32,
        out: *mut Bytes,
    ) -> i32;
    pub(super) fn vk_find_private(module: *mut RawModule, name: Bytes) -> u32;
}
