//! Variables of shared libraries.
#![expect(unsafe_code, reason = "reads what libraries hold")]

use std::ffi::c_int;

use object::elf;

use super::loaded::at;
use crate::symbol::Addr;

/// Asks `dladdr1` for the symbol's entry (dlfcn.h, `RTLD_DL_SYMENT`).
const SYMBOL_ENTRY: c_int = 1;

/// How many bytes the variable has that a library exports at `address`; none if there is no such.
pub(crate) fn variable_at(address: Addr) -> Option<u64> {
    let (info, entry) = at(address, SYMBOL_ENTRY)?;
    if entry.is_null() || info.dli_saddr as u64 != address.0 {
        return None;
    }
    // SAFETY: an entry of the library's symbol table, which is there as long as the library.
    let symbol = unsafe { &*entry.cast::<libc::Elf64_Sym>() };
    (symbol.st_info & 0xf == elf::STT_OBJECT && symbol.st_size > 0).then_some(symbol.st_size)
}

/// Reads what the variable at `address`, of as many bytes, holds now.
pub(crate) fn read_variable(address: Addr, bytes: &mut [u8]) {
    assert!(variable_at(address).is_some_and(|size| size >= bytes.len() as u64));
    // SAFETY: a variable of a loaded library, of this size at least; others write it as a program's
    // threads do, before which it is copied.
    unsafe {
        std::ptr::copy(address.0 as *const u8, bytes.as_mut_ptr(), bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_functions_and_places_in_them() {
        unsafe extern "C" {
            static stdout: *const u8;
        }
        let address = Addr(&raw const stdout as u64);
        assert_eq!(variable_at(address), Some(8));
        assert_eq!(variable_at(address.offset(1)), None);
        assert_eq!(variable_at(Addr(libc::qsort as *const () as u64)), None);
        assert_eq!(variable_at(Addr(8)), None);
        let mut bytes = [0; 8];
        read_variable(address, &mut bytes);
        // SAFETY: nobody changes it.
        assert_eq!(u64::from_le_bytes(bytes), unsafe { stdout } as u64);
    }
}
