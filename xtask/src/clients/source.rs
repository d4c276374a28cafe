//! A client's sources, fetched by cargo and changed in a copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use super::table::{CRANELIFT, Change, Client};
use crate::{place, process};

/// The package that all of them use, and the one that takes its place.
const PEER: &str = "cranelift-jit";
const OURS: &str = "vmkit-cranelift";

/// A copy of the client's sources in a folder, changed to use ours, or the peer with `is_peer`.
pub(super) fn prepare(client: &Client, folder: &Path, is_peer: bool) -> Result<PathBuf> {
    let copy = folder.join(client.package);
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_folder(&fetch(client, &folder.join("fetched"))?, &copy)?;
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, changed_manifest(&text, client, is_peer)?)?;
    // The versions that the project is tested with, as far as they are the same.
    fs::copy(place::root().join("Cargo.lock"), copy.join("Cargo.lock"))?;
    if client.package == PEER {
        // Its tests, without the crate itself.
        fs::remove_dir_all(copy.join("src"))?;
        fs::create_dir(copy.join("src"))?;
        fs::write(copy.join("src/lib.rs"), "")?;
    }
    change(&copy, client.updates)?;
    if !is_peer {
        change(&copy, client.changes)?;
    }
    Ok(copy)
}

fn change(copy: &Path, changes: &[Change]) -> Result<()> {
    for (file, old, new) in changes {
        let path = copy.join(file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(old), "{}: there is no {old:?} to change", path.display());
        fs::write(&path, text.replace(old, new))?;
    }
    Ok(())
}

/// Has cargo bring the package; where it is.
fn fetch(client: &Client, folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let Client { package, version, .. } = client;
    let manifest = format!(
        "[package]\nname = \"fetched\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [workspace]\n\n[dependencies]\n{package} = \"={version}\"\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let mut cargo = Command::new(place::cargo());
    cargo.args(["metadata", "-q", "--format-version", "1"]).current_dir(folder);
    let known = process::output(&mut cargo)
        .with_context(|| format!("the sources of {package} cannot be fetched"))?;
    let known: serde_json::Value = serde_json::from_slice(&known)?;
    let mut packages = known["packages"].as_array().into_iter().flatten();
    let found = packages.find(|found| found["name"] == **package && found["version"] == **version);
    let manifest = found.and_then(|found| found["manifest_path"].as_str());
    let manifest = Path::new(manifest.context("cargo does not know what it fetched")?);
    Ok(manifest.parent().context("a manifest in no folder")?.to_owned())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) =
            (entry.as_ref().map(fs::DirEntry::path), entry.as_ref().map(fs::DirEntry::file_name));
        let (Ok(path), Ok(name)) = (path, name) else { continue };
        match path.is_dir() {
            true => copy_folder(&path, &to.join(name))?,
            // Without the attributes that cargo gives its files.
            false => fs::write(to.join(name), fs::read(&path)?)?,
        }
    }
    Ok(())
}

/// The manifest, with one version of Cranelift, and ours in the place of its JIT.
fn changed_manifest(text: &str, client: &Client, is_peer: bool) -> Result<String> {
    let mut manifest: Table = text.parse()?;
    if client.package == PEER {
        return Ok(own_manifest(is_peer));
    }
    for (name, table) in &mut manifest {
        let Value::Table(table) = table else { continue };
        if !name.ends_with("dependencies") {
            continue;
        }
        for (name, dependency) in table.iter_mut().filter(|(name, _)| name.starts_with("cranelift"))
        {
            let Value::Table(dependency) = dependency else { continue };
            dependency.insert("version".into(), CRANELIFT.into());
            if name == PEER && !is_peer {
                use_ours(dependency);
            }
        }
    }
    manifest.insert("workspace".into(), Table::new().into());
    Ok(manifest.to_string())
}

fn use_ours(dependency: &mut Table) {
    let folder = place::root().join("crates").join(OURS);
    dependency.remove("version");
    dependency.insert("package".into(), OURS.into());
    dependency.insert("path".into(), folder.to_string_lossy().into_owned().into());
}

/// A package that has nothing but the tests of `cranelift-jit`.
fn own_manifest(is_peer: bool) -> String {
    let mut dependencies = Table::new();
    let others = ["", "-codegen", "-entity", "-frontend", "-module", "-native"];
    for name in others.map(|part| format!("cranelift{part}")) {
        dependencies.insert(name, CRANELIFT.into());
    }
    dependencies.insert("target-lexicon".into(), "0.13".into());
    let mut jit = Table::new();
    jit.insert("version".into(), CRANELIFT.into());
    if !is_peer {
        use_ours(&mut jit);
    }
    dependencies.insert(PEER.into(), jit.into());
    let package = [("name", "tests"), ("version", "0.0.0"), ("edition", "2024")];
    let package: Table =
        package.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    let mut manifest = Table::new();
    manifest.insert("package".into(), package.into());
    manifest.insert("dependencies".into(), dependencies.into());
    manifest.insert("workspace".into(), Table::new().into());
    manifest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cranelifts_lines_change() {
        let client = Client {
            package: "client",
            version: "1.0.0",
            features: "",
            updates: &[],
            changes: &[],
        };
        let text = "[dependencies.cranelift-jit]\nversion = \"0.1\"\n\
            [dependencies.cranelift-module]\nversion = \"0.1\"\n[dependencies.libc]\nversion = \"0.2\"\n";
        let changed = |is_peer| changed_manifest(text, &client, is_peer).unwrap();
        let ours: Table = changed(false).parse().unwrap();
        let of =
            |name: &str, key: &str| ours["dependencies"][name].get(key).and_then(Value::as_str);
        assert_eq!(of("cranelift-jit", "package"), Some(OURS));
        assert_eq!(of("cranelift-jit", "version"), None);
        assert_eq!(of("cranelift-module", "version"), Some(CRANELIFT));
        assert_eq!(of("libc", "version"), Some("0.2"));
        assert!(!changed(true).contains(OURS));
    }
}
