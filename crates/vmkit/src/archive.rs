//! Static archives (`ar`, in the GNU and BSD forms): objects and the index of what they define.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use object::read::archive::{ArchiveFile, ArchiveMember, ArchiveOffset};
use object::read::{File, Object, ObjectSymbol};

use crate::error::{Error, Result};
use crate::symbol::Name;

/// An archive that was read: its members by what they define.
#[derive(Clone, Debug)]
pub struct Archive {
    name: String,
    bytes: Vec<u8>,
    /// Symbol to the member's place in the archive.
    symbols: HashMap<Vec<u8>, u64>,
    /// The places of members that nobody said of what they define.
    unlisted: Vec<u64>,
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

    /// Reads the index of an archive, and checks every member. ELF objects that the index does not lead
    /// to are listed as well. `name` is the archive's path: from its folder the files of a thin archive
    /// are found, which are its members.
    ///
    /// # Errors
    ///
    /// Damage in the index or in any member.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let fail = |error| Error::input(name, error);
        let file = ArchiveFile::parse(&*bytes).map_err(fail)?;
        let mut symbols = HashMap::new();
        let mut listed = BTreeSet::new();
        for symbol in file.symbols().map_err(fail)?.into_iter().flatten() {
            let symbol = symbol.map_err(fail)?;
            let place = symbol.offset();
            if listed.insert(place.0) {
                file.member(place).map_err(fail)?;
            }
            symbols.entry(symbol.name().to_vec()).or_insert(place.0);
        }
        let mut unlisted = Vec::new();
        for member in file.members() {
            // Damage in any member is told at once, not when it happens to be needed.
            let member = member.map_err(fail)?;
            member.data(&*bytes).map_err(fail)?;
            unlisted.extend(place_of(&member, &bytes).filter(|place| !listed.contains(place)));
        }
        let mut archive = Self { name: name.into(), symbols, unlisted, bytes };
        archive.list_objects()?;
        Ok(archive)
    }

    /// The places of the members that define nothing as far as is known: neither does the index lead to
    /// them, nor are they ELF objects, which are looked into. Archivers that do not know a compiler's
    /// format leave its modules out of the index; whoever can read them tells ([`Archive::list`]) what
    /// they define.
    #[must_use]
    pub fn unlisted(&self) -> Vec<u64> {
        self.unlisted.clone()
    }

    /// Notes what the member at a place defines. Names that have a definer already keep it.
    pub fn list(&mut self, place: u64, names: impl IntoIterator<Item = Name>) {
        self.unlisted.retain(|&unlisted| unlisted != place);
        for name in names {
            self.symbols.entry(name.bytes().to_vec()).or_insert(place);
        }
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

    /// The member at a place in the archive; of a thin archive, its file.
    ///
    /// # Errors
    ///
    /// There is no member at that place, or no such file.
    pub fn member(&self, place: u64) -> Result<Member> {
        let fail = |error| Error::input(self.name.as_str(), error);
        let archive = ArchiveFile::parse(&*self.bytes).map_err(fail)?;
        let member = archive.member(ArchiveOffset(place)).map_err(fail)?;
        let name = format!("{}({})", self.name, String::from_utf8_lossy(member.name()));
        let bytes = match member.is_thin() {
            true => self.file(member.name()).map_err(|error| Error::input(name.as_str(), error))?,
            false => member.data(&*self.bytes).map_err(fail)?.to_vec(),
        };
        Ok(Member { name, bytes })
    }

    /// A file beside the archive.
    fn file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let file = folder.join(OsStr::from_bytes(path));
        // Others may have no end.
        match fs::metadata(&file)?.is_file() {
            true => fs::read(file),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file")),
        }
    }

    /// Lists the ELF objects among the members that are not.
    fn list_objects(&mut self) -> Result<()> {
        for place in self.unlisted() {
            let Member { name, bytes } = self.member(place)?;
            if bytes.starts_with(b"\x7fELF") {
                let object = File::parse(&*bytes).map_err(|error| Error::input(name, error))?;
                let defined = object.symbols().filter(|symbol| {
                    !symbol.is_local() && (symbol.is_definition() || symbol.is_common())
                });
                let names = defined.filter_map(|symbol| Some(Name::new(symbol.name_bytes().ok()?)));
                self.list(place, names);
            }
        }
        Ok(())
    }
}

/// The place of a member's header, by which the index knows it.
fn place_of(member: &ArchiveMember<'_>, archive: &[u8]) -> Option<u64> {
    let header = std::ptr::from_ref(member.header()?).addr();
    Some((header - archive.as_ptr().addr()) as u64)
}
