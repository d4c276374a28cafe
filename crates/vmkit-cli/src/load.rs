//! Input files: told apart by their first bytes, archives pulled in as far as needed.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use object::read::archive::ArchiveFile;
use vmkit::{Error, LoadedObject, Name, Result, Session};
use vmkit_llvm::{Llvm, Structor, StructorArray};

/// Everything that was loaded.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) functions: u64,
    pub(crate) constructors: Vec<Structor>,
    pub(crate) destructors: Vec<Structor>,
    pub(crate) arrays: Vec<StructorArray>,
    pub(crate) objects: Vec<LoadedObject>,
    undefined: Vec<Name>,
    archives: Vec<Archive>,
}

/// An archive's members by what they define.
struct Archive {
    name: String,
    bytes: Vec<u8>,
    /// Symbol to the member's place in the archive.
    symbols: HashMap<Vec<u8>, u64>,
    taken: Vec<u64>,
}

impl Inputs {
    /// Loads `files` in their order, then what their undefined symbols need of the archives.
    pub(crate) fn load(session: &Session, llvm: &Llvm, files: &[impl AsRef<Path>]) -> Result<Self> {
        let mut inputs = Self::default();
        for file in files {
            let name = file.as_ref().display().to_string();
            let bytes = read(file.as_ref()).map_err(|error| Error::input(name.as_str(), error))?;
            inputs.add(session, llvm, &name, bytes)?;
        }
        inputs.pull(session, llvm)?;
        Ok(inputs)
    }

    fn add(&mut self, session: &Session, llvm: &Llvm, name: &str, bytes: Vec<u8>) -> Result<()> {
        if bytes.is_empty() {
            return Err(Error::input(name, "the file is empty"));
        }
        if bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n") {
            self.archives.push(Archive::read(name, bytes)?);
            return Ok(());
        }
        if bytes.starts_with(b"\x7fELF") {
            let loaded = session.add_object(name, &bytes)?;
            self.functions += loaded.functions;
            self.undefined.extend_from_slice(&loaded.undefined);
            self.objects.push(loaded);
            return Ok(());
        }
        let loaded = llvm.add(name, bytes)?;
        self.functions += loaded.functions;
        self.undefined.extend(loaded.undefined);
        self.constructors.extend(loaded.constructors);
        self.destructors.extend(loaded.destructors);
        self.arrays.extend(loaded.arrays);
        Ok(())
    }

    /// How many of the files were archives.
    pub(crate) fn archives(&self) -> usize {
        self.archives.len()
    }

    /// Adds every member of the archives that defines anything.
    pub(crate) fn take_all(&mut self, session: &Session, llvm: &Llvm) -> Result<()> {
        for archive in std::mem::take(&mut self.archives) {
            let members: BTreeSet<_> = archive.symbols.values().copied().collect();
            for member in members {
                let (name, bytes) = archive.member(member)?;
                self.add(session, llvm, &name, bytes)?;
            }
        }
        Ok(())
    }

    /// Adds archive members until nothing undefined can be found in them, as a linker does.
    fn pull(&mut self, session: &Session, llvm: &Llvm) -> Result<()> {
        if self.archives.is_empty() {
            return Ok(());
        }
        while let Some(name) = self.undefined.pop() {
            if session.find_name(&name).is_some_and(|id| session.is_defined(id)) {
                continue;
            }
            let member = self.archives.iter_mut().find_map(|archive| archive.take(&name));
            if let Some((member, bytes)) = member.transpose()? {
                self.add(session, llvm, &member, bytes)?;
            }
        }
        Ok(())
    }
}

impl Archive {
    fn read(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let fail = |error| Error::input(name, error);
        let archive = ArchiveFile::parse(&*bytes).map_err(fail)?;
        if archive.is_thin() {
            return Err(Error::input(name, "thin archives are not supported"));
        }
        let mut symbols = HashMap::new();
        for symbol in archive.symbols().map_err(fail)?.into_iter().flatten() {
            let symbol = symbol.map_err(fail)?;
            symbols.entry(symbol.name().to_vec()).or_insert(symbol.offset().0);
        }
        // Damage in any member is told at once, not when it happens to be needed.
        for member in archive.members() {
            member.map_err(fail)?.data(&*bytes).map_err(fail)?;
        }
        Ok(Self { name: name.into(), symbols, taken: Vec::new(), bytes })
    }

    /// The member that defines `name`, if it was not taken before: its name and bytes.
    fn take(&mut self, name: &Name) -> Option<Result<(String, Vec<u8>)>> {
        let offset = *self.symbols.get(name.bytes())?;
        if self.taken.contains(&offset) {
            return None;
        }
        self.taken.push(offset);
        Some(self.member(offset))
    }

    /// The member at a place in the archive: its name and bytes.
    fn member(&self, offset: u64) -> Result<(String, Vec<u8>)> {
        let read = || {
            let archive = ArchiveFile::parse(&*self.bytes)?;
            let member = archive.member(object::read::archive::ArchiveOffset(offset))?;
            let label = format!("{}({})", self.name, String::from_utf8_lossy(member.name()));
            Ok((label, member.data(&*self.bytes)?.to_vec()))
        };
        read().map_err(|error: object::Error| Error::input(self.name.as_str(), error))
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file)
}
