//! Input files: told apart by their first bytes, archives pulled in as far as needed.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use vmkit::{Archive, Error, LoadedObject, Member, Name, Result, Session};
use vmkit_llvm::{Llvm, Structor, StructorArray, is_bitcode, runtime_functions, split};

use crate::runtime;

/// Functions that load shared libraries.
const LOADERS: [&[u8]; 2] = [b"dlopen", b"dlmopen"];

/// Everything that was loaded.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) functions: u64,
    pub(crate) constructors: Vec<Structor>,
    pub(crate) destructors: Vec<Structor>,
    pub(crate) arrays: Vec<StructorArray>,
    pub(crate) objects: Vec<LoadedObject>,
    /// Does the program load shared libraries itself?
    pub(crate) loads_libraries: bool,
    undefined: Vec<Name>,
    archives: Vec<Opened>,
}

/// An archive, and which of its members were added.
struct Opened {
    archive: Archive,
    taken: BTreeSet<u64>,
}

impl Inputs {
    /// Loads `files` in their order, then what their undefined symbols and `wanted` need of the
    /// archives.
    pub(crate) fn load(
        session: &Session,
        llvm: &Llvm,
        files: &[impl AsRef<Path>],
        wanted: &[Name],
    ) -> Result<Self> {
        let mut inputs = Self { undefined: wanted.to_vec(), ..Self::default() };
        // Modules that follow one another are added together.
        let mut modules = Vec::new();
        for file in files {
            let name = file.as_ref().display().to_string();
            let read = read(file.as_ref()).map_err(|error| Error::input(name.as_str(), error));
            match read {
                Ok(bytes) if is_module(&bytes) => modules.push((name, bytes)),
                other => {
                    inputs.add_modules(llvm, std::mem::take(&mut modules))?;
                    inputs.add(session, llvm, &name, other?)?;
                }
            }
        }
        inputs.add_modules(llvm, modules)?;
        inputs.pull(session, llvm)?;
        inputs.pull_called(session, llvm)?;
        Ok(inputs)
    }

    fn add(&mut self, session: &Session, llvm: &Llvm, name: &str, bytes: Vec<u8>) -> Result<()> {
        if bytes.is_empty() {
            return Err(Error::input(name, "the file is empty"));
        }
        if is_module(&bytes) {
            return self.add_modules(llvm, vec![(name.into(), bytes)]);
        }
        if Archive::is_archive(&bytes) {
            self.archives.push(Opened::read(llvm, name, bytes)?);
            return Ok(());
        }
        let loaded = session.add_object(name, &bytes)?;
        self.functions += loaded.functions;
        self.need(&loaded.undefined);
        self.objects.push(loaded);
        Ok(())
    }

    fn add_modules(&mut self, llvm: &Llvm, files: Vec<(String, Vec<u8>)>) -> Result<()> {
        let modules = files.into_iter().flat_map(|(name, bytes)| {
            let named = |(number, module)| match number {
                0 => (name.clone(), module),
                _ => (format!("{name}, module {}", number + 1), module),
            };
            split(bytes).into_iter().enumerate().map(named).collect::<Vec<_>>()
        });
        let modules = modules.collect();
        for loaded in llvm.add_all(modules)? {
            self.functions += loaded.functions;
            self.need(&loaded.undefined);
            self.constructors.extend(loaded.constructors);
            self.destructors.extend(loaded.destructors);
            self.arrays.extend(loaded.arrays);
        }
        Ok(())
    }

    fn need(&mut self, names: &[Name]) {
        self.loads_libraries |= names.iter().any(|name| LOADERS.contains(&name.bytes()));
        self.undefined.extend_from_slice(names);
    }

    /// How many of the files were archives.
    pub(crate) fn archives(&self) -> usize {
        self.archives.len()
    }

    /// Adds every member of the archives that defines anything.
    pub(crate) fn take_all(&mut self, session: &Session, llvm: &Llvm) -> Result<()> {
        for Opened { archive, .. } in std::mem::take(&mut self.archives) {
            for place in archive.definers() {
                let member = archive.member(place)?;
                self.add(session, llvm, &member.name, member.bytes)?;
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
            if let Some(member) = member.transpose()? {
                self.add(session, llvm, &member.name, member.bytes)?;
            }
        }
        Ok(())
    }

    /// Adds members for what nobody is known to call before it is compiled, unless libraries have it.
    fn pull_called(&mut self, session: &Session, llvm: &Llvm) -> Result<()> {
        if self.archives.is_empty() {
            return Ok(());
        }
        let is_there =
            |name: &Name| self.archives.iter().any(|one| one.archive.definer(name).is_some());
        let mut called = runtime_functions();
        called.retain(|name| is_there(name) && !runtime::is_in_library(name));
        self.undefined.append(&mut called);
        self.pull(session, llvm)
    }
}

impl Opened {
    /// Reads an archive, and the names of the modules that its index does not lead to.
    fn read(llvm: &Llvm, name: &str, bytes: Vec<u8>) -> Result<Self> {
        let mut archive = Archive::read(name, bytes)?;
        for place in archive.unlisted() {
            let member = archive.member(place)?;
            if is_bitcode(&member.bytes) {
                for module in split(member.bytes) {
                    archive.list(place, llvm.defined_names(&member.name, &module)?);
                }
            }
        }
        Ok(Self { archive, taken: BTreeSet::new() })
    }

    /// The member that defines `name`, if it was not taken before.
    fn take(&mut self, name: &Name) -> Option<Result<Member>> {
        let place = self.archive.definer(name)?;
        self.taken.insert(place).then(|| self.archive.member(place))
    }
}

/// Is it neither an archive nor an object?
fn is_module(bytes: &[u8]) -> bool {
    !bytes.is_empty() && !Archive::is_archive(bytes) && !bytes.starts_with(b"\x7fELF")
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file)
}
