//! Finds the test programs and their sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};

use super::header::Header;

/// One program under `tests/run`.
#[derive(Debug)]
pub(crate) struct Program {
    /// The file's stem or the folder's name.
    pub(crate) name: String,
    /// What its header asks for.
    pub(crate) header: Header,
    /// Its sources, in the order of the command line.
    pub(crate) sources: Vec<PathBuf>,
    /// Files that the sources may include.
    pub(crate) headers: Vec<PathBuf>,
}

/// A program whose header or folder cannot be understood.
#[derive(Debug)]
pub(crate) struct BadProgram {
    /// The file's stem or the folder's name.
    pub(crate) name: String,
    /// What is wrong with it.
    pub(crate) error: Error,
}

/// All programs in `folder`, by name.
///
/// # Errors
///
/// When the folder cannot be read.
pub(crate) fn discover(folder: &Path) -> Result<Vec<Result<Program, BadProgram>>> {
    let entries = list(folder)?;
    let shared_headers: Vec<_> =
        entries.iter().filter(|path| has_extension(path, &["h"])).cloned().collect();
    let programs = entries.into_iter().filter(|path| path.is_dir() || is_source(path));
    Ok(programs
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Program::read(&path, name.clone(), &shared_headers)
                .map_err(|error| BadProgram { name, error })
        })
        .collect())
}

impl Program {
    fn read(path: &Path, name: String, shared_headers: &[PathBuf]) -> Result<Program> {
        let files = if path.is_dir() { list(path)? } else { vec![path.to_owned()] };
        let mut headers = shared_headers.to_owned();
        headers.extend(files.iter().filter(|file| has_extension(file, &["h"])).cloned());
        let mut sources: Vec<_> = files.into_iter().filter(|file| is_source(file)).collect();
        sources.sort_by_key(|file| (!is_main(file), file.clone()));

        let main = sources.first().context("the folder has no sources")?;
        ensure!(!path.is_dir() || is_main(main), "the folder has no main.*");
        let header = Header::parse(&fs::read_to_string(main)?)?;
        let sources = in_order(sources, &header.modules)?;
        let named = header.also.iter().map(|(source, _)| source);
        for word in named.chain(&header.objects).chain(&header.shared) {
            ensure!(sources.iter().any(|file| file.ends_with(word)), "there is no source {word}");
        }
        Ok(Program { name, header, sources, headers })
    }

    /// The sets of compiler flags to build it with.
    pub(crate) fn flag_sets(&self) -> Vec<Vec<String>> {
        let text_only = self.sources.iter().all(|source| has_extension(source, &["ll", "s"]));
        match &self.header.cflags[..] {
            [] if text_only => vec![vec![]],
            [] => vec![vec!["-O0".to_owned()], vec!["-O2".to_owned()]],
            sets => sets.to_owned(),
        }
    }
}

/// Whether `path` is the source that carries the header of its folder.
pub(crate) fn is_main(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "main")
}

/// Whether `path` ends in one of `extensions`.
pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
}

fn is_source(path: &Path) -> bool {
    has_extension(path, &["c", "cpp", "ll", "s"])
}

fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// `sources` in the order in which `names` has them.
fn in_order(sources: Vec<PathBuf>, names: &[String]) -> Result<Vec<PathBuf>> {
    if names.is_empty() {
        return Ok(sources);
    }
    ensure!(names.len() == sources.len(), "`modules:` must name every source");
    let find = |name: &String| sources.iter().find(|source| source.ends_with(name)).cloned();
    names
        .iter()
        .map(|name| find(name).with_context(|| format!("there is no source {name}")))
        .collect()
}
