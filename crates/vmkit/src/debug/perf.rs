//! The perf map: a text file that gives Linux `perf` the names of functions (jit-interface.txt in
//! the documentation of its sources).
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::listener::{Linked, Listener};
use crate::symbol::{Addr, Name, SymbolId};

/// Writes `/tmp/perf-PID.map`, one line a function or stub, as they are linked.
///
/// A forked child has a file of its own, which begins with what the parent had written by then.
pub struct PerfMap {
    written: Mutex<Written>,
}

/// How much of which process's file is ours.
struct Written {
    pid: u32,
    bytes: u64,
}

impl PerfMap {
    /// Makes this process's file, in place of any that an earlier process of the number left.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn create() -> Result<Self> {
        let pid = std::process::id();
        fresh(pid).map_err(|error| Error::other(format!("{}: {error}", path(pid).display())))?;
        Ok(Self { written: Mutex::new(Written { pid, bytes: 0 }) })
    }

    fn append(&self, text: &str) {
        let mut written = self.written.lock();
        // Opened each time: a program may close descriptors that it has not opened, and use their
        // numbers again. A map that can no longer be written is no reason to stop the program.
        let file = OpenOptions::new().append(true).open(path(written.pid));
        if file.and_then(|mut file| file.write_all(text.as_bytes())).is_ok() {
            written.bytes += text.len() as u64;
        }
    }
}

impl Listener for PerfMap {
    fn linked(&self, event: &Linked<'_>) {
        let mut text = String::new();
        for function in event.functions() {
            add_line(&mut text, function.address, function.size, function.name, "");
        }
        if !text.is_empty() {
            self.append(&text);
        }
    }

    fn stubbed(&self, _: SymbolId, name: &Name, at: Addr, size: u64) {
        let mut text = String::new();
        add_line(&mut text, at, size, name, " [stub]");
        self.append(&text);
    }

    fn forked(&self) {
        let mut written = self.written.lock();
        let pid = std::process::id();
        // Without its file, the child is profiled without names.
        let copied = inherit(written.pid, written.bytes, pid).unwrap_or(0);
        *written = Written { pid, bytes: copied };
    }
}

fn path(pid: u32) -> PathBuf {
    format!("/tmp/perf-{pid}.map").into()
}

/// A file that nobody else can have put there.
fn fresh(pid: u32) -> io::Result<File> {
    let path = path(pid);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().write(true).create_new(true).open(path),
    }
}

/// Starts the child's file with what the parent's had at the fork.
fn inherit(parent: u32, bytes: u64, child: u32) -> io::Result<u64> {
    let mut from = File::open(path(parent))?.take(bytes);
    io::copy(&mut from, &mut fresh(child)?)
}

fn add_line(text: &mut String, at: Addr, size: u64, name: &Name, what: &str) {
    // A name goes to the end of its line.
    let name = name.to_string().replace(|c: char| c.is_control(), "?");
    writeln!(text, "{:x} {size:x} {name}{what}", at.0).expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_perf_reads_them() {
        let check = |at, size, name: &str, what, expected| {
            let mut text = String::new();
            add_line(&mut text, Addr(at), size, &name.into(), what);
            assert_eq!(text, expected);
        };
        check(0x1000, 32, "main", "", "1000 20 main\n");
        check(0xabc0, 16, "operator new", " [stub]", "abc0 10 operator new [stub]\n");
        check(1, 1, "a\nb", "", "1 1 a?b\n");
    }

    #[test]
    fn the_file_is_written_as_stubs_come_and_inherited() {
        let map = PerfMap::create().unwrap();
        map.stubbed(SymbolId(1), &"f".into(), Addr(0x10), 16);
        map.stubbed(SymbolId(2), &"g".into(), Addr(0x20), 16);
        let own = std::process::id();
        // No process can have this number: it is above the kernel's largest, 2²².
        let child = own + (1 << 22);
        inherit(own, "10 10 f [stub]\n".len() as u64, child).unwrap();
        assert_eq!(fs::read_to_string(path(own)).unwrap(), "10 10 f [stub]\n20 10 g [stub]\n");
        assert_eq!(fs::read_to_string(path(child)).unwrap(), "10 10 f [stub]\n");
        fs::remove_file(path(own)).unwrap();
        fs::remove_file(path(child)).unwrap();
    }
}
