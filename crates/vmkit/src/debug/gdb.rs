//! The GDB JIT interface (GDB manual, "JIT Compilation Interface"): images of linked code in a list
//! that debuggers read, and a function they stop at when it changes.
#![expect(unsafe_code, reason = "a global list that debuggers find by its symbol")]

use std::arch::global_asm;
use std::ptr;

use parking_lot::Mutex;

use super::image::image;
use crate::graph::SectionKind;
use crate::listener::{Linked, Listener};

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

/// The action "an image was added".
const REGISTER: u32 = 1;

/// Guards the list against other threads of ours.
static LIST: Mutex<()> = Mutex::new(());

/// Shows linked code to GDB and others that know its JIT interface: names, frames, and lines and
/// variables as far as modules have debug information.
#[derive(Default)]
pub struct Gdb(());

impl Gdb {
    /// A listener for sessions.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

impl Listener for Gdb {
    fn linked(&self, event: &Linked<'_>) {
        let loaded = event.graph.sections.iter().zip(&event.sections);
        let has_code = |(section, loaded): (&crate::graph::Section, &Option<_>)| {
            section.kind == SectionKind::Code && loaded.is_some()
        };
        if { loaded }.any(has_code) {
            register(image(event));
        }
    }
}

/// Adds an image to the list, for ever, and lets a debugger look at it.
fn register(image: Vec<u8>) {
    let image = image.leak();
    let entry = Box::leak(Box::new(Entry {
        next: ptr::null_mut(),
        previous: ptr::null_mut(),
        image: image.as_ptr(),
        size: image.len() as u64,
    }));
    let _order = LIST.lock();
    // SAFETY: the list is only changed under the lock (whoever else shares it does so in a
    // process whose debugger sees one session at a time); entries and images are never freed.
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
}
