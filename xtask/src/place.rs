//! Where things are: the project, what is built, and what the chores keep.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the project")
}

/// Cargo's target folder, where this program was built.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where xtask is")?;
    let folder = program
        .ancestors()
        .nth(2)
        .context("xtask is in no target folder")?;
    Ok(folder.to_owned())
}

/// The cargo that runs this.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Builds `vmkit` for release and returns its path.
///
/// # Errors
///
/// When it does not build.
pub(crate) fn vmkit() -> Result<PathBuf> {
    let target = target()?;
    let status = Command::new(cargo())
        .args([
            "build",
            "--release",
            "-q",
            "-p",
            "vmkit-cli",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "vmkit does not build");
    Ok(target.join("release/vmkit"))
}
