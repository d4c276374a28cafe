//! What runs here: the first-call entry, patching, waiting, core synchronization.
//!
//! One file per instruction set, with the same functions.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod copied;
mod errno;
mod futex;
mod gate;
mod membarrier;
mod memory_file;
mod processors;
mod room;
mod signals;
mod thread;
mod waiters;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use self::aarch64 as native;
pub(crate) use self::copied::{is_copied, note_process};
pub(crate) use self::errno::keep_errno;
pub(crate) use self::futex::{wait, wait_for, wake_all, wake_one};
pub(crate) use self::gate::Gate;
pub(crate) use self::membarrier::{register_cores, sync_cores};
pub(crate) use self::memory_file::memory_file;
pub(crate) use self::native::{
    Registers, exchange, first_call_entry, flush, land, load, patch, prepare,
    thread_descriptor_entry, thread_pointer, unsigned,
};
pub use self::processors::processors;
pub(crate) use self::processors::this_processor;
pub(crate) use self::room::touch_room;
pub(crate) use self::signals::{SignalMask, block_signals, restore_signals};
pub(crate) use self::thread::spawn;
pub(crate) use self::waiters::{Waiters, changes};
#[cfg(target_arch = "x86_64")]
use self::x86_64 as native;
