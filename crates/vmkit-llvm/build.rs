//! Builds the C++ shim against the LLVM that is linked.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=shim");
    println!("cargo::rerun-if-env-changed=LLVM_SYS_221_PREFIX");
    let config = llvm_config();
    let include = ask(&config, "--includedir");
    let mut build = cc::Build::new();
    // What inlining made of a module is checked in debug builds.
    if std::env::var("PROFILE").as_deref() == Ok("debug") {
        build.define("VMKIT_VERIFY", None);
    }
    build
        .cpp(true)
        .std("c++17")
        .opt_level(2)
        .debug(false)
        .include(include)
        .define("_GNU_SOURCE", None)
        .define("NDEBUG", None)
        .flag_if_supported("-fno-strict-aliasing")
        .flag_if_supported("-Wno-unused-parameter")
        .files(
            [
                "worker",
                "index",
                "extract",
                "generate",
                "declare",
                "data",
                "contents",
                "debug",
                "crash",
                "optimize",
                "inline",
                "library",
                "hash",
                "safepoint",
                "slots",
                "copies",
                "processor",
                "quick",
                "plain",
                "streamer",
                "frames",
                "elf",
                "returns",
                "sink",
                "switch",
                "join",
                "coroutines",
                "names",
            ]
            .map(|part| format!("shim/{part}.cpp")),
        )
        .compile("vmkit_shim");
    println!("cargo::rustc-link-search=native={}", ask(&config, "--libdir"));
    println!("cargo::rustc-link-lib=dylib=LLVM-22");
}

/// The `llvm-config` of the same LLVM that llvm-sys links.
fn llvm_config() -> PathBuf {
    match std::env::var_os("LLVM_SYS_221_PREFIX") {
        Some(prefix) => PathBuf::from(prefix).join("bin/llvm-config"),
        None => "llvm-config-22".into(),
    }
}

fn ask(config: &PathBuf, what: &str) -> String {
    let output = Command::new(config).arg(what).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{}: {error} (install llvm-22-dev, or run `make setup`)", config.display())
    });
    String::from_utf8(output.stdout).expect("llvm-config prints a path").trim().into()
}
