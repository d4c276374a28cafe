//! Traps: which instruction it was, and why, and the way out of it.
#![expect(unsafe_code, reason = "handles a signal of compiled code")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use cranelift_codegen::ir::{InstBuilder, TrapCode};
use vmkit::Session;
use vmkit::code::CodeMap;
use vmkit::target::native::PROGRAM_COUNTER;
use vmkit::walk::{Registers, Walker};
use vmkit_cranelift::{Cranelift, Options};

use crate::bench::{begin, call, plus, unary};

static MAP: OnceLock<Arc<CodeMap>> = OnceLock::new();
static WHY: AtomicU32 = AtomicU32::new(0);

/// The registers of a signal's context.
#[cfg(target_arch = "x86_64")]
mod saved {
    use super::Registers;

    /// In the order of their DWARF numbers.
    const GENERAL: [i32; 16] = [
        libc::REG_RAX,
        libc::REG_RDX,
        libc::REG_RCX,
        libc::REG_RBX,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_RBP,
        libc::REG_RSP,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
    ];

    pub(super) fn pc(context: &libc::ucontext_t) -> u64 {
        context.uc_mcontext.gregs[libc::REG_RIP as usize].cast_unsigned()
    }

    pub(super) fn general(context: &libc::ucontext_t) -> Vec<u64> {
        let saved = &context.uc_mcontext.gregs;
        GENERAL.map(|place| saved[place as usize].cast_unsigned()).to_vec()
    }

    /// Has the thread go on in the caller, with a result.
    pub(super) fn go_on(context: &mut libc::ucontext_t, caller: &Registers, result: i64) {
        let saved = &mut context.uc_mcontext.gregs;
        for (number, place) in (0..).zip(GENERAL) {
            if let Some(value) = caller.get(number) {
                saved[place as usize] = value.cast_signed();
            }
        }
        saved[libc::REG_RIP as usize] = caller.pc().expect("a caller").cast_signed();
        saved[libc::REG_RAX as usize] = result;
    }
}

/// The registers of a signal's context.
#[cfg(target_arch = "aarch64")]
mod saved {
    use super::Registers;

    pub(super) fn pc(context: &libc::ucontext_t) -> u64 {
        context.uc_mcontext.pc
    }

    pub(super) fn general(context: &libc::ucontext_t) -> Vec<u64> {
        let saved = &context.uc_mcontext;
        saved.regs.iter().copied().chain([saved.sp]).collect()
    }

    /// Has the thread go on in the caller, with a result.
    pub(super) fn go_on(context: &mut libc::ucontext_t, caller: &Registers, result: i64) {
        let saved = &mut context.uc_mcontext;
        for (number, place) in (0..).zip(&mut saved.regs) {
            if let Some(value) = caller.get(number) {
                *place = value;
            }
        }
        saved.sp = caller.sp().expect("a caller");
        saved.pc = caller.pc().expect("a caller");
        saved.regs[0] = result.cast_unsigned();
    }
}

/// Has the function that trapped return -7.
extern "C" fn on_signal(signal: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives the context of the instruction that trapped.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let mut registers = Registers::new();
    for (number, value) in (0..).zip(saved::general(context)) {
        registers.set(number, value);
    }
    let pc = saved::pc(context);
    registers.set(PROGRAM_COUNTER, pc);
    let map = MAP.get().expect("it is set before anything runs");
    // The code that trapped holds no lock of the map's.
    let Some(why) = map.find(pc).and_then(|function| function.trap(pc)) else {
        // SAFETY: none of ours: the next time it ends the process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        return;
    };
    WHY.store(why, Ordering::Relaxed);
    // SAFETY: the walk reads the stack of this thread.
    let read = |at: u64| Some(unsafe { (at as *const u64).read() });
    let mut walker = Walker::interrupted(map, registers, read);
    walker.next().expect("the function that trapped");
    saved::go_on(context, walker.registers(), -7);
}

#[test]
fn a_trap_is_known_by_its_address() {
    let map = MAP.get_or_init(Arc::default);
    let session = Session::builder().listener(map.clone()).build().unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    // SAFETY: an action that is all zeros but for these is one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        for signal in [libc::SIGILL, libc::SIGFPE] {
            assert_eq!(libc::sigaction(signal, &raw const action, std::ptr::null_mut()), 0);
        }
    }
    cranelift
        .define_lazy("checked", unary(), |builder, _| {
            let params = begin(builder);
            builder.ins().trapz(params[0], TrapCode::unwrap_user(42));
            let quotient = builder.ins().sdiv(params[0], params[0]);
            builder.ins().return_(&[quotient]);
            Ok(())
        })
        .unwrap();
    cranelift
        .define_lazy("divides", unary(), |builder, _| {
            let params = begin(builder);
            let hundred = builder.ins().iconst(cranelift_codegen::ir::types::I64, 100);
            let quotient = builder.ins().sdiv(hundred, params[0]);
            builder.ins().return_(&[quotient]);
            Ok(())
        })
        .unwrap();
    cranelift.define_lazy("f", unary(), plus("checked", 10)).unwrap();
    assert_eq!(call(&cranelift, "f", 5), 11);
    assert_eq!(call(&cranelift, "f", 0), 3);
    assert_eq!(WHY.load(Ordering::Relaxed), 42);
    assert_eq!(call(&cranelift, "divides", 5), 20);
    assert_eq!(call(&cranelift, "divides", 0), -7);
    let why = u32::from(TrapCode::INTEGER_DIVISION_BY_ZERO.as_raw().get());
    assert_eq!(WHY.load(Ordering::Relaxed), why);
}
