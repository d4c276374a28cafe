//! Golden tests of the linker: each file of `tests/link` is assembled, read as a graph and linked,
//! and both the graph and what became of it are compared with the comments at the file's end. Of code
//! for another machine every byte is also compared with what `ld.lld` makes of it.
//!
//! `VMKIT_BLESS=1` writes what is found there in place of what was expected.

#[path = "link/after.rs"]
mod after;
#[path = "link/case.rs"]
mod case;
#[path = "link/image.rs"]
mod image;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/link");
    // Code for x86-64 is linked in a session, to run here.
    let isas = if cfg!(target_arch = "x86_64") { &["x86_64", "aarch64"][..] } else { &["aarch64"] };
    let files = isas
        .iter()
        .flat_map(|isa| sources(&folder.join(isa)).into_iter().map(move |file| (isa, file)));
    let trials = files.map(|(isa, file)| {
        let name = file.file_stem().expect("a source").to_string_lossy();
        Trial::test(format!("{isa}::{name}"), move || Ok(case::check(&file)?))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of the golden tests");
    let files = entries.map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<_> = files
        .filter(|file| {
            file.extension().is_some_and(|extension| extension == "s" || extension == "ll")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no golden tests in {}", folder.display());
    files
}
