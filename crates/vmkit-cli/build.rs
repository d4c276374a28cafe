//! Says which symbols of the program libraries must not see.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/exports.map");
    println!("cargo::rerun-if-changed={script}");
    println!("cargo::rustc-link-arg-bins=-Wl,--version-script={script}");
}
