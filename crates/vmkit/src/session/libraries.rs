//! Shared libraries: what they give to linked code, and it to them.

use super::Session;
use crate::error::Result;
use crate::interposition;
use crate::process::{self, Found, Rank, SharedLibrary};
use crate::symbol::{Addr, Name};

impl Session {
    /// Loads a shared library, in which undefined symbols are then looked up. It may need functions and
    /// data that modules define ([`Session::export_to`]).
    ///
    /// # Safety
    ///
    /// What the library does when it is loaded, and at exit, is sound here.
    ///
    /// # Errors
    ///
    /// The library cannot be loaded.
    #[expect(unsafe_code, reason = "the caller vouches for the library")]
    pub unsafe fn load_library(&self, library: impl Into<SharedLibrary>) -> Result<()> {
        let library = library.into();
        self.export_to(&library)?;
        self.linker().libraries.load(library.file(), 0, Rank::Own)
    }

    /// As [`Session::load_library`], but the library is searched after all others, those too that are loaded
    /// later: what every program has, such as the C library.
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Errors
    ///
    /// As there.
    #[expect(unsafe_code, reason = "the caller vouches for the library")]
    pub unsafe fn load_common_library(&self, file: &str) -> Result<()> {
        self.linker().libraries.load(file, 0, Rank::Common)
    }

    /// As [`Session::load_library`], but what the library and those that it brings along need is looked up
    /// among themselves first, and only then in what the process has already (`RTLD_DEEPBIND`): it has its
    /// C++ runtime, of which theirs may be another.
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Errors
    ///
    /// As there.
    #[expect(unsafe_code, reason = "the caller vouches for the library")]
    pub unsafe fn load_library_apart(&self, library: impl Into<SharedLibrary>) -> Result<()> {
        let library = library.into();
        self.export_to(&library)?;
        self.linker().libraries.load(library.file(), libc::RTLD_DEEPBIND, Rank::Own)
    }

    /// Makes what a shared library needs, and modules define where others see it, resolve the library's
    /// references when it is loaded, as what an executable exports does. What the process has under the
    /// same names comes first.
    ///
    /// # Errors
    ///
    /// The system has no memory left, or the library needs a thread-local variable of which a thread has a
    /// copy already ([`Session::share_thread_locals`]).
    pub fn export_to(&self, library: &SharedLibrary) -> Result<()> {
        interposition::export_to(self.linker(), library)
    }

    /// Has shared libraries that are loaded from now on share the thread-local variables that modules
    /// define where others see them, whichever of them they will need: once a thread has its copy of a
    /// variable, it is too late for that, and the variable is left out. Links these variables.
    ///
    /// # Errors
    ///
    /// The system has no memory left.
    pub fn share_thread_locals(&self) -> Result<()> {
        interposition::share_thread_locals(self.linker())
    }

    /// The address of the function or data that modules define under a name, where others see it.
    #[must_use]
    pub fn exported(&self, name: &[u8]) -> Option<Addr> {
        interposition::exported(self.linker(), name).map(|(_, address)| address)
    }

    /// The address of what the libraries have under a name, in which undefined symbols are looked up.
    #[must_use]
    pub fn in_libraries(&self, name: &Name) -> Option<Addr> {
        self.in_libraries_after(Addr(0), name)
    }

    /// As [`Session::in_libraries`], but only in those that come after the one at this address, if there
    /// is one: what `RTLD_NEXT` means to it.
    #[must_use]
    pub fn in_libraries_after(&self, address: Addr, name: &Name) -> Option<Addr> {
        match self.linker().libraries.find_after(address, name)? {
            Found::At(address) => Some(address),
            Found::ThreadLocal { .. } => None,
        }
    }

    /// Sends calls that loaded shared libraries make to functions which a module defines as well
    /// (strongly, and not hidden) to the module's, as the dynamic linker would for an executable.
    /// `choice` says by the path of the calling library which functions are meant, by name; none where
    /// the library is to be left alone.
    ///
    /// Call it once, after the modules and libraries are loaded, and do not use the chosen
    /// libraries for other things than the program afterwards, except on compile threads or after
    /// [`Session::use_original_libraries`].
    ///
    /// # Safety
    ///
    /// The modules' functions can stand in for those of the same names.
    ///
    /// # Errors
    ///
    /// This code is not part of the executable, or memory is short.
    #[expect(unsafe_code, reason = "the caller vouches for the functions")]
    pub unsafe fn interpose(
        &self,
        choice: impl Fn(&str) -> Option<fn(&[u8]) -> bool>,
    ) -> Result<()> {
        interposition::interpose(self.linker(), &choice)
    }

    /// Undoes [`Session::interpose`] for this thread.
    pub fn use_original_libraries(&self) {
        interposition::use_originals();
    }

    /// Sends calls of these functions that loaded shared libraries make to other addresses, on every
    /// thread; gives those that any library names. `is_wanted` chooses the libraries, by path.
    ///
    /// # Safety
    ///
    /// There is a function at each address that can stand in for the one of the name.
    ///
    /// # Errors
    ///
    /// A library's table cannot be written.
    #[expect(unsafe_code, reason = "the caller vouches for the functions")]
    pub unsafe fn replace_in_libraries<'a>(
        is_wanted: impl Fn(&str) -> bool,
        functions: &[(&'a str, Addr)],
    ) -> Result<Vec<&'a str>> {
        let addresses = functions.iter().map(|&(name, to)| (name.as_bytes(), to));
        let named = process::replace(&is_wanted, &addresses.collect())?;
        let names = functions.iter().map(|&(name, _)| name);
        Ok(names.filter(|name| named.contains(name.as_bytes())).collect())
    }
}
