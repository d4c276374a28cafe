//! The GDB JIT interface (GDB manual, "JIT Compilation Interface"): images of linked code in a list
//! that debuggers read, and a function they stop at when it changes.
#![expect(unsafe_code, reason = "a global list that debuggers find by its symbol")]

use std::arch::global_asm;
use std::ptr;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::image::image;
use crate::graph::SectionKind;
use crate::listener::{Linked, Listener, Unlinked};
use crate::symbol::Addr;

// Weak, because other compilers in the process bring the same two symbols, to be shared.
global_asm!(
    ".pushsection .text.__jit_debug_register_code, \"ax\", @progbits",
    ".weak __jit_debug_register_code",
    ".type __jit_debug_register_code, @function",
    "__jit_debug_register_code:",
    "ret",
    ".size __jit_debug_register_code, . - __jit_debug_register_code",
    ".popsection",
    ".pushsection .data.__jit_debug_descriptor, \"aw\", @progbits",
    ".weak __jit_debug_descriptor",
    ".type __jit_debug_descriptor, @object",
    ".p2align 3",
    "__jit_debug_descriptor:",
    ".long 1", // version
    ".long 0", // action
    ".quad 0", // relevant entry
    ".quad 0", // first entry
    ".size __jit_debug_descriptor, . - __jit_debug_descriptor",
    ".popsection",
);

unsafe extern "C" {
    fn __jit_debug_register_code();
    static mut __jit_debug_descriptor: Descriptor;
}

#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

/// One image in the list.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    image: *const u8,
    size: u64,
}

/// The actions "an image was added" and "an image is to go".
const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// Guards the list against other threads of ours.
static LIST: Mutex<()> = Mutex::new(());

/// Shows linked code to GDB and others that know its JIT interface: names, frames, and lines and
/// variables as far as modules have debug information.
#[derive(Default)]
pub struct Gdb {
    /// Entries by where their code begins.
    shown: Mutex<FxHashMap<Addr, Shown>>,
}

/// An entry of the list, which is ours.
struct Shown(*mut Entry);

// SAFETY: entries are only touched under the list's lock.
unsafe impl Send for Shown {}

impl Gdb {
    /// A listener for sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Listener for Gdb {
    fn linked(&self, event: &Linked<'_>) {
        let mut loaded = event.graph.sections.iter().zip(&event.sections);
        let code = loaded.find_map(|(section, loaded)| {
            loaded.filter(|_| section.kind == SectionKind::Code).map(|loaded| loaded.address)
        });
        if let Some(code) = code {
            self.shown.lock().insert(code, register(image(event)));
        }
    }

    fn unlinked(&self, event: &Unlinked<'_>) {
        for (start, _) in event.ranges {
            if let Some(shown) = self.shown.lock().remove(start) {
                unregister(shown);
            }
        }
    }
}

/// Adds an image to the list, and lets a debugger look at it.
fn register(image: Vec<u8>) -> Shown {
    let image = Box::leak(image.into_boxed_slice());
    let entry = Box::leak(Box::new(Entry {
        next: ptr::null_mut(),
        previous: ptr::null_mut(),
        image: image.as_ptr(),
        size: image.len() as u64,
    }));
    let _order = LIST.lock();
    // SAFETY: the list is only changed under the lock (whoever else shares it does so in a
    // process whose debugger sees one session at a time); entries live until `unregister`.
    unsafe {
        let descriptor = &raw mut __jit_debug_descriptor;
        entry.next = (*descriptor).first;
        if let Some(next) = entry.next.as_mut() {
            next.previous = entry;
        }
        (*descriptor).first = entry;
        (*descriptor).relevant = entry;
        ptr::write_volatile(&raw mut (*descriptor).action, REGISTER);
        __jit_debug_register_code();
    }
    Shown(entry)
}

/// Takes an image out of the list, and has a debugger forget it.
fn unregister(shown: Shown) {
    let _order = LIST.lock();
    // SAFETY: as in `register`, which made the entry and its image, and gave them away once.
    unsafe {
        let entry = Box::from_raw(shown.0);
        let descriptor = &raw mut __jit_debug_descriptor;
        match entry.previous.as_mut() {
            Some(previous) => previous.next = entry.next,
            None => (*descriptor).first = entry.next,
        }
        if let Some(next) = entry.next.as_mut() {
            next.previous = entry.previous;
        }
        (*descriptor).relevant = shown.0;
        ptr::write_volatile(&raw mut (*descriptor).action, UNREGISTER);
        __jit_debug_register_code();
        let image = ptr::slice_from_raw_parts_mut(entry.image.cast_mut(), entry.size as usize);
        drop(Box::from_raw(image));
    }
}
