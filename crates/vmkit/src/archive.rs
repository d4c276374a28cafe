//! Static archives (`ar`, in the GNU and BSD forms): objects and the index of what they define.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};

use object::read::archive::{ArchiveFile, ArchiveOffset};

use crate::error::{Error, Result};
use crate::symbol::Name;

/// An archive that was read: its members by what they define.
#[derive(Clone, Debug)]
pub struct Archive {
    name: String,
    bytes: Vec<u8>,
    /// Symbol to the member's place in the archive.
    symbols: HashMap<Vec<u8>, u64>,
}

/// A member of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// `archive(member)`, for messages.
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl Archive {
    /// Do these bytes begin as an archive does?
    #[must_use]
    pub fn is_archive(bytes: &[u8]) -> bool {
        bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n")
    }

    /// Reads the index of an archive, and checks every member; `name` is for messages.
    ///
    /// # Errors
    ///
    /// Damage in the index or in any member, members without an index, and thin archives, whose members
    /// are elsewhere.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let fail = |error| Error::input(name, error);
        let archive = ArchiveFile::parse(&*bytes).map_err(fail)?;
        if archive.is_thin() {
            return Err(Error::input(name, "thin archives are not supported"));
        }
        let index = archive.symbols().map_err(fail)?;
        if index.is_none() && archive.members().next().is_some() {
            return Err(Error::input(name, "the archive has no index: run ranlib to add one"));
        }
        let mut symbols = HashMap::new();
        for symbol in index.into_iter().flatten() {
            let symbol = symbol.map_err(fail)?;
            symbols.entry(symbol.name().to_vec()).or_insert(symbol.offset().0);
        }
        // Damage in any member is told at once, not when it happens to be needed.
        for member in archive.members() {
            member.map_err(fail)?.data(&*bytes).map_err(fail)?;
        }
        let archive = Self { name: name.into(), symbols, bytes };
        for place in archive.definers() {
            archive.member(place)?;
        }
        Ok(archive)
    }

    /// The place of the member that defines `symbol`.
    #[must_use]
    pub fn definer(&self, symbol: &Name) -> Option<u64> {
        self.symbols.get(symbol.bytes()).copied()
    }

    /// The places of all members that define anything.
    #[must_use]
    pub fn definers(&self) -> BTreeSet<u64> {
        self.symbols.values().copied().collect()
    }

    /// The member at a place in the archive.
    ///
    /// # Errors
    ///
    /// There is no member at that place.
    pub fn member(&self, place: u64) -> Result<Member> {
        let read = || {
            let archive = ArchiveFile::parse(&*self.bytes)?;
            let member = archive.member(ArchiveOffset(place))?;
            let name = format!("{}({})", self.name, String::from_utf8_lossy(member.name()));
            Ok(Member { name, bytes: member.data(&*self.bytes)?.to_vec() })
        };
        read().map_err(|error: object::Error| Error::input(self.name.as_str(), error))
    }
}
