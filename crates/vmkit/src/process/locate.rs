//! What of the process an address lies in.
#![expect(unsafe_code, reason = "dladdr")]

use std::ffi::{CStr, c_char};

use crate::symbol::{Addr, Name};

/// A place in the program's executable or in a shared library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// The file, as the dynamic linker knows it.
    pub file: String,
    /// The function or variable there, if the file exports it.
    pub symbol: Option<Name>,
    /// Bytes from the symbol, or from where the file is loaded.
    pub offset: u64,
}

/// The place in a library at `address`, or in the executable.
pub(crate) fn locate(address: Addr) -> Option<Located> {
    // SAFETY: a struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for; the answer is written to our struct.
    if unsafe { libc::dladdr(address.0 as *const _, &raw mut info) } == 0 {
        return None;
    }
    // SAFETY: what dladdr fills in are C strings that live as long as the library is loaded, or null.
    let (file, symbol) = unsafe { (text(info.dli_fname), text(info.dli_sname)) };
    let start = if symbol.is_some() { info.dli_saddr } else { info.dli_fbase };
    Some(Located {
        file: String::from_utf8_lossy(&file?).into_owned(),
        symbol: symbol.map(Name::new),
        offset: address.0 - start as u64,
    })
}

/// # Safety
///
/// `text` is null or a C string.
unsafe fn text(text: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_c_library_is_found() {
        let address = Addr(libc::qsort as *const () as u64);
        let located = locate(address.offset(1)).expect("the C library is loaded");
        assert!(located.file.contains("libc"), "{located:?}");
        assert_eq!((located.symbol, located.offset), (Some("qsort".into()), 1));
        assert_eq!(locate(Addr(8)), None);
    }
}
