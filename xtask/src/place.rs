//! Where things are: the project, what is built, and what the chores keep.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the project")
}

/// Cargo's target folder, where this program was built.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where xtask is")?;
    let folder = program.ancestors().nth(2).context("xtask is in no target folder")?;
    Ok(folder.to_owned())
}

/// The cargo that runs this.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The `vmkit` to run: what the variable `VMKIT` names, or one built for release now.
///
/// # Errors
///
/// When it does not build.
pub(crate) fn vmkit() -> Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(given) = env::var_os("VMKIT") {
        return Ok(given.into());
    }
    if let Some(built) = BUILT.get() {
        return Ok(built.clone());
    }
    let built = build_vmkit()?;
    Ok(BUILT.get_or_init(|| built).clone())
}

fn build_vmkit() -> Result<PathBuf> {
    let target = target()?;
    let status = Command::new(cargo())
        .args(["build", "--release", "-q", "-p", "vmkit-cli", "--target-dir"])
        .arg(&target)
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "vmkit does not build");
    Ok(target.join("release/vmkit"))
}
