//! Lets cargo bring a program's sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::table::Program;
use crate::{place, process};

/// Brings the package of `program` into `folder`, unless it is there; returns where its files are.
///
/// # Errors
///
/// When cargo cannot fetch it.
pub(super) fn fetch(program: &Program, folder: &Path) -> Result<PathBuf> {
    let package = folder.join("vendor").join(program.package);
    let manifest = manifest(program);
    let stamp = folder.join("fetched.toml");
    if fs::read_to_string(&stamp).is_ok_and(|kept| kept == manifest) {
        return Ok(package);
    }
    println!("programs: fetching {} {}", program.package, program.version);
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    fs::write(folder.join("Cargo.toml"), &manifest)?;
    let mut cargo = Command::new(place::cargo());
    cargo.args(["vendor", "-q", "vendor"]).current_dir(folder);
    process::output(&mut cargo)
        .with_context(|| format!("the sources of {} cannot be fetched", program.name))?;
    fs::write(stamp, manifest)?;
    Ok(package)
}

/// A package that nobody builds; it only says what to fetch.
fn manifest(program: &Program) -> String {
    let Program { package, version, .. } = program;
    format!(
        "[package]\nname = \"fetched\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [workspace]\n\n[dependencies]\n{package} = \"={version}\"\n"
    )
}
