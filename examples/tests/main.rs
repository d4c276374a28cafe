//! Runs the examples.

mod kaleidoscope;
#[cfg(feature = "llvm")]
mod plugins;

use std::path::{Path, PathBuf};
use std::process::Command;

/// An example's program, built as this test is.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a file");
    let profile = test.parent().and_then(Path::parent).expect("tests are in PROFILE/deps");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "-q",
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    // As this test is, so that nothing is built twice.
    cargo.arg("--no-default-features");
    for (feature, is_on) in
        [("llvm", cfg!(feature = "llvm")), ("cranelift", cfg!(feature = "cranelift"))]
    {
        if is_on {
            cargo.args(["--features", feature]);
        }
    }
    cargo.args(["--example", name, "--target-dir"]).arg(profile.parent().expect("as above"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs tests").success());
    profile.join("examples").join(name)
}
