//! Where a run's report goes, wherever the program goes meanwhile.

use std::io::Write;
use std::path::{Path, PathBuf};

use vmkit::{Error, Result};

/// A file to write when the program is over, or standard error.
pub(crate) struct Output(Option<PathBuf>);

impl Output {
    /// The file `name`; standard error if that is `-`.
    ///
    /// # Errors
    ///
    /// The file cannot be written: told now rather than when the program is over.
    pub(crate) fn new(name: &str) -> Result<Self> {
        if name == "-" {
            return Ok(Self(None));
        }
        let fail = |error| Error::input(name, error);
        std::fs::File::create(name).map_err(fail)?;
        // The program may change the current folder.
        Ok(Self(Some(std::path::absolute(name).map_err(fail)?)))
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    /// Writes all of it.
    pub(crate) fn write(&self, text: &str) {
        let Some(file) = &self.0 else { return say(text) };
        if let Err(error) = std::fs::write(file, text) {
            say(&format!("vmkit: {}: {error}\n", file.display()));
        }
    }
}

/// Prints on standard error. The program may have closed it, which is its business.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
