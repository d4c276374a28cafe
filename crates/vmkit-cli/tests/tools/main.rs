//! The tools that look into modules and runs: `vmkit nm`, `--explain`, `--trace`, `--stats`,
//! `--perf`.

mod explain;
mod limits;
mod nm;
mod perf;
mod stats;
mod trace;

#[path = "../support/process.rs"]
mod process;
#[path = "../support/source.rs"]
mod source;

use std::path::{Path, PathBuf};

use source::{compile, folder};

/// A folder with the program that most tests look into, in two modules of bitcode.
fn program(test: &str) -> PathBuf {
    let folder = folder(test);
    for name in ["first", "second"] {
        let source = sources().join(name).with_extension("c");
        compile(&source, &["-O0", "-emit-llvm"], &folder, &format!("{name}.bc"));
    }
    folder
}

/// Where this test's own sources are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools")
}
