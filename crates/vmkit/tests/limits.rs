//! Where the system gives no thread, calls fail rather than the process. (A file of its own: the limit is
//! the whole process's.)
#![expect(unsafe_code, reason = "sets the process's limits")]

use std::sync::Arc;

use vmkit::graph::LinkGraph;
use vmkit::{Descriptor, Error, Private, Result, Session, Source, SymbolKind, Unit};

/// Less address space than the stack of a compile thread takes.
const ROOM: u64 = 32 << 20;

/// A module that says that it was asked.
struct Module(Arc<str>);

impl Source for Module {
    fn name(&self) -> &Arc<str> {
        &self.0
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        Err(Error::other("asked"))
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

/// Sets how many bytes of address space the process may have; how many it might.
fn limit_space(bytes: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is ours.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) }, 0);
    let before = std::mem::replace(&mut limit.rlim_cur, bytes);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    before
}

/// Bytes of address space that the process has.
fn space() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    // SAFETY: no pointers.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned()
}

#[test]
#[cfg_attr(
    target_arch = "aarch64",
    ignore = "qemu-user, where these tests run, keeps no such limit"
)]
fn a_compile_thread_that_cannot_start_fails_what_waits_and_a_later_one_may_start() {
    let session = Session::builder().whole_process(false).build().unwrap();
    let scope = session.add_source(Arc::new(Module("module".into())));
    let compile = |name: &str| {
        let descriptor = Descriptor::strong(name.into(), SymbolKind::Function);
        let (id, _) = session.define(&descriptor, scope, 0, Unit::Lazy).unwrap();
        session.compile(id).unwrap_err().to_string()
    };
    let before = limit_space(space() + ROOM);
    let error = compile("f");
    limit_space(before);
    assert!(error.starts_with("cannot compile f: cannot start a compile thread: "), "{error}");
    assert_eq!(compile("g"), "asked");
}
