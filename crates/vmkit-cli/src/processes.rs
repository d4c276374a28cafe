//! Ways to a process of one's own that the C library's handlers of `fork` do not see.
//!
//! The child is a copy of the process with one thread, as that of `fork` is: its code memory and its
//! compile threads must become its own, or its first call waits for ever.
#![expect(unsafe_code, reason = "the C library's interface to processes")]

use std::ffi::{c_int, c_long, c_void};

use vmkit::{after_fork_in_child, after_fork_in_parent, before_fork};

unsafe extern "C" {
    fn _Fork() -> c_int;
}

/// What a process begins with.
type Main = extern "C" fn(*mut c_void) -> c_int;

/// The functions, by name: what the program means by them, unless it defines them itself.
pub(crate) fn functions() -> [(&'static str, *const ()); 3] {
    [
        ("_Fork", fork as *const ()),
        ("clone", clone as *const ()),
        ("syscall", system_call as *const ()),
    ]
}

/// Does `split`.
///
/// # Safety
///
/// It returns in two processes which share no memory, and 0 in the child.
unsafe fn around<T: Copy + PartialEq + From<i8>>(split: impl FnOnce() -> T) -> T {
    before_fork();
    let process = split();
    if process == T::from(0) {
        // SAFETY: the caller's promise.
        unsafe { after_fork_in_child() }
    } else {
        after_fork_in_parent();
    }
    process
}

unsafe extern "C" fn fork() -> c_int {
    // SAFETY: this forks.
    unsafe { around(|| _Fork()) }
}

/// What a child that `clone` makes is to run.
struct Start {
    main: Main,
    argument: *mut c_void,
}

extern "C" fn begin(start: *mut c_void) -> c_int {
    // SAFETY: `clone` has this called in a process that shares nothing with its parent.
    unsafe { after_fork_in_child() };
    // SAFETY: `clone` passes this; the child has a copy of the parent's stack.
    let start = unsafe { &*start.cast::<Start>() };
    let code = (start.main)(start.argument);
    // To return would end this thread, and leave those that compile.
    // SAFETY: may be called anywhere.
    unsafe { libc::_exit(code) }
}

/// The last three are passed for some flags only, and not looked at for others.
unsafe extern "C" fn clone(
    main: Main,
    stack: *mut c_void,
    flags: c_int,
    argument: *mut c_void,
    parent_number: *mut c_void,
    thread_block: *mut c_void,
    child_number: *mut c_void,
) -> c_int {
    let split = |main, argument| {
        // SAFETY: what the caller asks for.
        unsafe {
            libc::clone(main, stack, flags, argument, parent_number, thread_block, child_number)
        }
    };
    if flags & (libc::CLONE_VM | libc::CLONE_SETTLS) != 0 {
        return split(main, argument);
    }
    let mut start = Start { main, argument };
    before_fork();
    let process = split(begin, (&raw mut start).cast());
    after_fork_in_parent();
    process
}

/// What `clone3` is asked for (`struct clone_args`, linux/sched.h), up to the first version of it.
#[repr(C)]
struct Wishes {
    flags: c_long,
    _descriptor: u64,
    _numbers: [u64; 2],
    _exit_signal: u64,
    stack: u64,
    _rest: [u64; 2],
}

/// What is asked for, if there is as much of it as there has to be.
///
/// # Safety
///
/// So many bytes are there, or none.
unsafe fn wishes<'a>(asked: *const Wishes, size: c_long) -> Option<&'a Wishes> {
    let is_enough = usize::try_from(size).is_ok_and(|size| size >= size_of::<Wishes>());
    // SAFETY: the caller's promise.
    if is_enough { unsafe { asked.as_ref() } } else { None }
}

/// System calls take up to six arguments; what is not passed is not looked at.
unsafe extern "C" fn system_call(
    number: c_long,
    first: c_long,
    second: c_long,
    third: c_long,
    fourth: c_long,
    fifth: c_long,
    sixth: c_long,
) -> c_long {
    // SAFETY: what the caller asks for.
    let call = || unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    let shares = |flags: c_long| flags & c_long::from(libc::CLONE_VM | libc::CLONE_SETTLS) != 0;
    match number {
        // SAFETY: this forks.
        libc::SYS_fork => unsafe { around(call) },
        // With a stack of its own, the child would not come back here.
        // SAFETY: the flags say that parent and child share no memory.
        libc::SYS_clone if !shares(first) && second == 0 => unsafe { around(call) },
        libc::SYS_clone3 => {
            // SAFETY: as many bytes as the caller says there are.
            let asked = unsafe { wishes(first as *const Wishes, second) };
            match asked {
                // SAFETY: as for `clone`.
                Some(Wishes { flags, stack: 0, .. }) if !shares(*flags) => unsafe { around(call) },
                _ => call(),
            }
        }
        _ => call(),
    }
}
