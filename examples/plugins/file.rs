//! A file that may change.

use std::path::PathBuf;
use std::time::SystemTime;
use std::{fs, io};

/// A file, and what it was like when it was last read.
pub(crate) struct Watched {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl Watched {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// What is in the file now.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        // Asked before: a change while it is read is seen the next time.
        self.seen = Some(self.state()?);
        fs::read(&self.path)
    }

    /// What is in the file, if that has changed since it was read. A file that is not there has not:
    /// many programs write a new file and then rename it.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn changed(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.state() {
            Ok(state) if Some(state) != self.seen => self.read().map(Some),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(None),
        }
    }

    fn state(&self) -> io::Result<(SystemTime, u64)> {
        let metadata = fs::metadata(&self.path)?;
        Ok((metadata.modified()?, metadata.len()))
    }
}
