//! Entries: functions of the virtual machine that linked code calls, and that must be able to walk
//! the stack, move what its callers refer to, or throw; and the way back, to a landing pad.
#![expect(unsafe_code, reason = "assembly between linked code and the virtual machine")]

use crate::host;
use crate::target::native;
use crate::walk::Registers;

/// Makes a function for linked code to call: `native_entry! { pub fn NAME(ARGUMENT, …) = TARGET; }`.
///
/// It is called with up to five integer or pointer arguments, which are named here, and any that are
/// passed in vector registers. It saves the registers that calls preserve in an
/// [`Anchor`](crate::walk::Anchor) and calls `TARGET`, a function of the C calling convention with these
/// parameters and behind them the anchor's address. What `TARGET` returns is returned to the caller,
/// with the registers as they are in the anchor then: references in them may have been moved.
///
/// The function is `unsafe`: it may only be called by linked code, in the way that `TARGET` expects.
///
/// ```
/// # #![expect(unsafe_code, reason = "what linked code calls")]
/// use vmkit::walk::Anchor;
///
/// extern "C" fn collect(size: usize, anchor: &mut Anchor) -> usize {
///     assert_ne!(anchor.return_address, 0);
///     size
/// }
///
/// vmkit::native_entry! {
///     /// Called by linked code with a size.
///     pub fn collect_entry(size) = collect;
/// }
/// # fn main() {
/// # // SAFETY: the entry hands its arguments and the result through.
/// # let entry: extern "C" fn(usize) -> usize = unsafe {
/// #     std::mem::transmute(collect_entry as *const ())
/// # };
/// # assert_eq!(entry(7), 7);
/// # }
/// ```
#[macro_export]
macro_rules! native_entry {
    (@any $argument:ident) => { _ };
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident),*) = $target:path;
    )*) => {$(
        $(#[$attribute])*
        ///
        /// # Safety
        ///
        /// To be called by linked code only, with what its target takes.
        #[unsafe(naked)]
        $visibility unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!($crate::entry_code!($($argument)*), target = sym $target)
        }
        // The target takes as many, and the anchor.
        const _: () = {
            let _: extern "C" fn(
                $($crate::native_entry!(@any $argument),)*
                &mut $crate::walk::Anchor,
            ) -> _ = $target;
        };
    )*};
}

pub(crate) use native_entry;

/// What is put into registers: those that calls preserve, the stack pointer, where to go on, and the
/// two values of a landing pad.
pub(crate) struct Landing([u64; native::PRESERVED.len() + 4]);

impl Landing {
    /// To go on at `pad` in the frame that has these registers, the stack pointer `sp` and the two
    /// values of a landing pad.
    pub(crate) fn new(registers: &Registers, sp: u64, pad: u64, values: [u64; 2]) -> Self {
        let mut all = [0; native::PRESERVED.len() + 4];
        for (value, register) in all.iter_mut().zip(native::PRESERVED) {
            *value = registers.get(register).unwrap_or(0);
        }
        let [exception, selector] = values;
        all[native::PRESERVED.len()..].copy_from_slice(&[sp, pad, exception, selector]);
        Self(all)
    }

    /// Goes there; every frame within is gone.
    ///
    /// # Safety
    ///
    /// The frame is on this thread's stack and expects to go on like this. What the frames within
    /// held is never dropped, and nobody may count on it.
    pub(crate) unsafe fn go(&self) -> ! {
        // SAFETY: the caller's promise.
        unsafe { host::land(&self.0) }
    }
}
