//! Shared libraries: which ones a session's undefined symbols are looked up in.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::ffi::{CStr, CString, c_int, c_void};
use std::ops::Range;

use parking_lot::RwLock;

use crate::error::{Error, Kind, Result};
use crate::symbol::{Addr, Name};

use super::extent::{extent, link_map};
use super::loaded::{is_any_library, module, open};
use super::script;
use super::tables::{Own, Tables};

/// Libraries in the order they are searched.
pub(crate) struct Libraries {
    handles: RwLock<Vec<Handle>>,
    thread_blocks: RwLock<Vec<ThreadBlock>>,
}

struct Handle {
    library: *mut c_void,
    /// The addresses of the library itself, without those that it needs.
    extent: Range<u64>,
    /// What it defines itself.
    tables: Option<Tables>,
    rank: Rank,
}

/// Which libraries are searched before which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Those of a program, and whatever comes while it runs.
    Own,
    /// Those that every program has, as a linker adds them behind all others.
    Common,
}
// SAFETY: dlopen handles may be used from any thread.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// A symbol of a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    At(Addr),
    /// Thread-local: the library's module number and the offset in its block.
    ThreadLocal {
        module: u64,
        offset: u64,
    },
}

impl Libraries {
    /// Searches all that the process has loaded, if `whole_process`, else nothing yet.
    pub(crate) fn new(whole_process: bool) -> Self {
        let process = Handle {
            library: libc::RTLD_DEFAULT,
            extent: 0..u64::MAX,
            tables: None,
            rank: Rank::Own,
        };
        Self {
            handles: RwLock::new(whole_process.then_some(process).into_iter().collect()),
            thread_blocks: RwLock::new(thread_blocks()),
        }
    }

    /// Loads the library `file`, as `dlopen` finds it with these further flags, and searches it after the
    /// others of its rank.
    pub(crate) fn load(&self, file: &str, flags: c_int, rank: Rank) -> Result<()> {
        let fail = |what: String| Error::from(Kind::Library { file: file.into(), what });
        let path = CString::new(file).map_err(|e| fail(e.to_string()))?;
        let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL | flags;
        // SAFETY: the path is a C string. The library's constructors run, as whoever asks for a
        // library expects.
        let handle = unsafe { open(&path, flags) }
            .map_err(|what| fail(script::objection(file).unwrap_or(what)))?;
        // SAFETY: a library that dlopen gave, which nobody closes.
        let (map, module) = unsafe { (link_map(handle), module(handle)) };
        let extent = map.map_or(0..0, extent);
        // SAFETY: as above.
        let tables = map.and_then(|map| unsafe { Tables::new(map, module) });
        let mut handles = self.handles.write();
        let place = handles.partition_point(|other| other.rank <= rank);
        handles.insert(place, Handle { library: handle, extent, tables, rank });
        drop(handles);
        *self.thread_blocks.write() = thread_blocks();
        Ok(())
    }

    /// Is there code of a library at this address?
    #[expect(clippy::unused_self, reason = "what libraries know, however they know it")]
    pub(crate) fn is_function(&self, address: Addr) -> bool {
        is_any_library(|info, headers| {
            let offset = address.0.wrapping_sub(info.dlpi_addr);
            headers.iter().any(|header| {
                header.p_type == libc::PT_LOAD
                    && header.p_flags & libc::PF_X != 0
                    && offset.wrapping_sub(header.p_vaddr) < header.p_memsz
            })
        })
    }

    /// Looks `name` up, breadth first as the dynamic linker does: in each of the libraries itself,
    /// first library first, then in those that they need.
    pub(crate) fn find(&self, name: &Name) -> Option<Found> {
        self.find_after(Addr(0), name)
    }

    /// As [`Libraries::find`], in those after the one at this address, if there is one.
    pub(crate) fn find_after(&self, address: Addr, name: &Name) -> Option<Found> {
        let (plain, version) = split_version(name.bytes());
        let plain = CString::new(plain).ok()?;
        let version = version.and_then(|version| CString::new(version).ok());
        let handles = self.handles.read();
        let before = handles.iter().position(|handle| handle.is_at(address));
        let handles = &handles[before.map_or(0, |place| place + 1)..];
        let find = |handle: &Handle| handle.find(&plain, version.as_deref());
        let classified = |at| classify(at, &self.thread_blocks.read());
        let own = |handle: &Handle| {
            let tables = handle.tables.filter(|_| version.is_none());
            match tables.map(|tables| tables.find(&plain)) {
                Some(Own::Here(found)) => Some(found),
                Some(Own::Absent) => None,
                Some(Own::Unknown) => find(handle).map(classified),
                None => find(handle).filter(|at| handle.extent.contains(at)).map(classified),
            }
        };
        let found = handles.iter().find_map(own);
        found.or_else(|| handles.iter().find_map(find).map(classified))
    }
}

impl Handle {
    /// Does the library itself lie at this address?
    fn is_at(&self, address: Addr) -> bool {
        self.library != libc::RTLD_DEFAULT && self.extent.contains(&address.0)
    }

    /// Where the library, or one that it needs, has this symbol.
    fn find(&self, name: &CStr, version: Option<&CStr>) -> Option<u64> {
        // SAFETY: a live handle and C strings.
        let at = unsafe {
            match version {
                Some(version) => libc::dlvsym(self.library, name.as_ptr(), version.as_ptr()),
                None => libc::dlsym(self.library, name.as_ptr()),
            }
        };
        // A null symbol is as good as none: nothing can be there.
        (!at.is_null()).then_some(at as u64)
    }
}

/// A name and the version of it that is meant: assembly writes `name@VERSION`, and libgcc has
/// what compilers use for dispatching by processor under a version only.
fn split_version(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(at) = name.iter().position(|&byte| byte == b'@') {
        let version = name[at..].iter().position(|&byte| byte != b'@').unwrap_or(name.len() - at);
        return (&name[..at], Some(&name[at + version..]));
    }
    match name {
        b"__cpu_model" | b"__cpu_indicator_init" => (name, Some(b"GCC_4.8.0")),
        _ => (name, None),
    }
}

/// A library with thread-local variables: its module number, and the bytes of its block.
#[derive(Clone, Copy)]
struct ThreadBlock {
    module: u64,
    size: u64,
}

unsafe extern "C" {
    fn __tls_get_addr(pair: *const [u64; 2]) -> *mut u8;
}

/// Tells a thread-local variable, of which `dlsym` gives this thread's copy, from others.
///
/// Works from a list rather than `dl_iterate_phdr`, whose lock a program may hold in a callback
/// that makes the first call we are here for.
fn classify(at: u64, blocks: &[ThreadBlock]) -> Found {
    let found = blocks.iter().find_map(|block| {
        // SAFETY: a module number that the dynamic linker gave.
        let start = unsafe { __tls_get_addr(&[block.module, 0]) } as u64;
        let offset = at.wrapping_sub(start);
        (offset < block.size).then_some(Found::ThreadLocal { module: block.module, offset })
    });
    found.unwrap_or(Found::At(Addr(at)))
}

/// The thread-local blocks of the libraries that are loaded now.
fn thread_blocks() -> Vec<ThreadBlock> {
    let mut blocks = Vec::new();
    is_any_library(|info, headers| {
        if let Some(header) = headers.iter().find(|header| header.p_type == libc::PT_TLS)
            && info.dlpi_tls_modid != 0
        {
            let module = info.dlpi_tls_modid as u64;
            blocks.push(ThreadBlock { module, size: header.p_memsz });
        }
        false
    });
    blocks
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn check(libraries: &Libraries, name: &str, expected: Option<u64>) {
        let expected = expected.map(|address| Found::At(Addr(address)));
        assert_eq!(libraries.find(&name.into()), expected, "{name}");
    }

    #[test]
    fn the_processs_symbols_are_found() {
        let libraries = Libraries::new(true);
        let qsort = libc::qsort as *const () as u64;
        check(&libraries, "qsort", Some(qsort));
        // The first version of the C library that ran there.
        let version = if cfg!(target_arch = "x86_64") { "GLIBC_2.2.5" } else { "GLIBC_2.17" };
        check(&libraries, &format!("qsort@{version}"), Some(qsort));
        check(&libraries, &format!("qsort@@{version}"), Some(qsort));
        check(&libraries, "qsort@NO_SUCH_VERSION", None);
        check(&libraries, "no_such_function", None);
        check(&libraries, "qsort\0", None);
    }

    #[test]
    fn without_the_process_only_loaded_libraries_are_searched() {
        let libraries = Libraries::new(false);
        check(&libraries, "qsort", None);
        check(&libraries, "cosh", None);
        libraries.load("libm.so.6", 0, Rank::Own).unwrap();
        assert!(libraries.find(&"cosh".into()).is_some());
    }

    #[test]
    fn a_missing_library_is_named() {
        let error = Libraries::new(false).load("no_such_library.so", 0, Rank::Own).unwrap_err();
        assert!(error.is_input());
        assert!(error.to_string().contains("no_such_library.so"), "{error}");
        assert!(Libraries::new(false).load("nul\0.so", 0, Rank::Own).is_err());
    }

    #[test]
    fn a_linkers_script_is_called_one() {
        let file = std::env::temp_dir().join(format!("vmkit_script_{}.so", std::process::id()));
        std::fs::write(&file, "INPUT(libfirst.so.6 AS_NEEDED(-lsecond))").unwrap();
        let error = Libraries::new(false).load(file.to_str().unwrap(), 0, Rank::Own).unwrap_err();
        std::fs::remove_file(file).unwrap();
        assert!(error.to_string().contains("linker's script"), "{error}");
        assert!(error.to_string().contains("libfirst.so.6, -lsecond"), "{error}");
    }

    #[test]
    fn libraries_that_every_program_has_come_last() {
        let libraries = Libraries::new(false);
        libraries.load("libc.so.6", 0, Rank::Common).unwrap();
        libraries.load("libgcc_s.so.1", 0, Rank::Common).unwrap();
        libraries.load("libm.so.6", 0, Rank::Own).unwrap();
        let after = |name: &CStr, wanted: &str| {
            // SAFETY: a C string.
            let at = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as u64 };
            libraries.find_after(Addr(at), &wanted.into()).is_some()
        };
        assert!(after(c"cosh", "qsort") && after(c"cosh", "_Unwind_Backtrace"));
        assert!(after(c"qsort", "_Unwind_Backtrace") && !after(c"qsort", "cosh"));
    }

    #[test]
    fn the_library_itself_and_those_before_it_are_left_out() {
        let libraries = Libraries::new(false);
        for file in ["libm.so.6", "libc.so.6"] {
            libraries.load(file, 0, Rank::Own).unwrap();
        }
        let cosh = Addr(libc_address(c"cosh"));
        assert_eq!(libraries.find_after(cosh, &"qsort".into()), libraries.find(&"qsort".into()));
        assert_eq!(libraries.find_after(cosh, &"cosh".into()), None);
        let qsort = Addr(libc_address(c"qsort"));
        assert_eq!(libraries.find_after(qsort, &"qsort".into()), None);
    }

    fn libc_address(name: &CStr) -> u64 {
        // SAFETY: a C string.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as u64 }
    }

    #[test]
    fn versions_are_cut_off_names() {
        let check = |name: &str, plain: &str, version: Option<&str>| {
            let found = split_version(name.as_bytes());
            assert_eq!(found, (plain.as_bytes(), version.map(str::as_bytes)));
        };
        check("f", "f", None);
        check("f@V1", "f", Some("V1"));
        check("f@@V1", "f", Some("V1"));
        check("f@", "f", Some(""));
        check("@", "", Some(""));
        check("__cpu_model", "__cpu_model", Some("GCC_4.8.0"));
    }

    #[test]
    fn code_is_told_from_data() {
        // What is only read may share pages with code.
        static DATA: AtomicU64 = AtomicU64::new(1);
        let libraries = Libraries::new(true);
        assert!(libraries.is_function(Addr(libc::qsort as *const () as u64)));
        assert!(!libraries.is_function(Addr(&raw const DATA as u64)));
        assert!(!libraries.is_function(Addr(8)));
    }

    #[test]
    fn thread_local_variables_are_told_from_others() {
        let blocks = thread_blocks();
        let block = *blocks.iter().find(|block| block.size > 0).expect("the C library has some");
        // SAFETY: a module number that the dynamic linker gave.
        let start = unsafe { __tls_get_addr(&[block.module, 0]) } as u64;
        let found = classify(start + block.size - 1, &blocks);
        let expected = Found::ThreadLocal { module: block.module, offset: block.size - 1 };
        assert_eq!(found, expected);
        let qsort = libc::qsort as *const () as u64;
        assert_eq!(classify(qsort, &blocks), Found::At(Addr(qsort)));
    }
}
