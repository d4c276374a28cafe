//! Input that `vmkit run` must refuse: with exit code 2 and a message that names it, soon.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, iter};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Failed, Trial};

use super::damage::{
    archive, bitcode, compile, corrupt_archive, cut, far_attributes, garbage, object, text,
};
use super::process::{End, run};
use super::scratch;

/// How long a refusal may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A command line that must be refused.
struct Refused {
    /// The arguments after `vmkit run`.
    arguments: Vec<String>,
    /// What standard error must name.
    named: String,
}

/// Makes the bad input in a folder of its own.
type Make = fn(&Path) -> Result<Refused>;

/// A file with these bytes.
type MakeBytes = fn(&Path) -> Result<Vec<u8>>;

const FILES: &[(&str, &str, MakeBytes)] = &[
    ("empty_bitcode", "empty.bc", |_| Ok(Vec::new())),
    ("empty_object", "empty.o", |_| Ok(Vec::new())),
    ("one_byte", "one.bc", |_| Ok(vec![b'B'])),
    ("garbage", "garbage.bc", |_| Ok(garbage(b""))),
    ("garbage_with_elf_magic", "garbage.o", |_| {
        Ok(garbage(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0"))
    }),
    ("garbage_with_archive_magic", "garbage.a", |_| Ok(garbage(b"!<arch>\n"))),
    ("garbage_with_wrapper_magic", "garbage.bc", |_| Ok(garbage(b"\xde\xc0\x17\x0b"))),
    ("garbage_text", "garbage.ll", |_| Ok(garbage(b"define i32 @main() {\n"))),
    ("cut_to_magic", "cut.bc", |folder| cut(bitcode(folder)?, 0, 1, 4)),
    ("cut_in_header", "cut.bc", |folder| cut(bitcode(folder)?, 0, 1, 7)),
    ("cut_at_100", "cut.bc", |folder| cut(bitcode(folder)?, 0, 1, 100)),
    ("cut_at_quarter", "cut.bc", |folder| cut(bitcode(folder)?, 1, 4, 0)),
    ("cut_at_half", "cut.bc", |folder| cut(bitcode(folder)?, 1, 2, 0)),
    ("cut_at_three_quarters", "cut.bc", |folder| cut(bitcode(folder)?, 3, 4, 0)),
    ("cut_near_end", "cut.bc", |folder| cut(bitcode(folder)?, 1, 1, -100)),
    ("cut_last_word", "cut.bc", |folder| cut(bitcode(folder)?, 1, 1, -4)),
    ("cut_last_byte", "cut.bc", |folder| cut(bitcode(folder)?, 1, 1, -1)),
    ("far_attributes", "far.bc", far_attributes),
    ("object_cut_in_header", "cut.o", |folder| cut(object(folder)?, 0, 1, 40)),
    ("object_cut_after_header", "cut.o", |folder| cut(object(folder)?, 0, 1, 64)),
    ("object_cut_at_half", "cut.o", |folder| cut(object(folder)?, 1, 2, 0)),
    ("object_cut_near_end", "cut.o", |folder| cut(object(folder)?, 1, 1, -32)),
    ("archive_cut_in_member", "cut.a", |folder| cut(archive(folder)?, 1, 2, 0)),
    ("archive_with_huge_member", "huge.a", |folder| corrupt_archive(folder, 48, b"9999999999")),
    ("archive_with_negative_member", "negative.a", |folder| {
        corrupt_archive(folder, 48, b"-1        ")
    }),
    ("archive_with_bad_terminator", "header.a", |folder| corrupt_archive(folder, 58, b"xx")),
    ("thin_archive_without_its_file", "thin.a", |_| {
        let header = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "gone.o/", 0, 0, 0, 644, 8);
        Ok([b"!<thin>\n", header.as_bytes()].concat())
    }),
    ("thin_archive_of_a_device", "thin.a", |_| {
        let header = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "/0", 0, 0, 0, 644, 8);
        let names = format!("{:<48}{:<10}`\n/dev/zero/\n\n", "//", 12);
        Ok([b"!<thin>\n", names.as_bytes(), header.as_bytes()].concat())
    }),
    ("executable", "executable.o", |_| Ok(fs::read("/bin/true")?)),
    ("other_target_bitcode", "other.bc", |folder| {
        compile(folder, &["--target=aarch64-linux-gnu", "-emit-llvm", "-c", "-ffreestanding"])
    }),
    ("other_target_object", "other.o", |folder| {
        compile(folder, &["--target=aarch64-linux-gnu", "-c", "-ffreestanding"])
    }),
    ("object_of_32_bits", "other.o", |folder| compile(folder, &["-m32", "-c", "-ffreestanding"])),
    ("other_target_text", "other.ll", |_| {
        text("target triple = \"wasm32\"\ndefine i32 @main() { ret i32 0 }\n")
    }),
    ("syntax_error", "syntax.ll", |_| {
        text("define i32 @main() {\n  %x = ad i32 1, 2\n  ret i32 %x\n}\n")
    }),
    ("type_error", "type.ll", |_| {
        text("define i32 @main() {\n  %x = add i32 1, 1.0\n  ret i64 %x\n}\n")
    }),
    ("verifier_error", "verifier.ll", |_| {
        text(
            "define i32 @main() {\n  br label %a\na:\n  %x = add i32 %y, 1\n  br label %b\nb:\n  %y = add i32 %x, 1\n  ret i32 %y\n}\n",
        )
    }),
    ("source_code", "main.c", |_| text("int main(void) { return 0; }\n")),
];

const COMMANDS: &[(&str, Make)] = &[
    ("missing_file", |_| refused(["/no/such/module.bc"], "/no/such/module.bc")),
    ("folder", |folder| refused([path_text(folder)?], &path_text(folder)?)),
    ("bad_beside_good", |folder| {
        let (good, bad) = (path_text(&good_file(folder)?)?, folder.join("bad.bc"));
        fs::write(&bad, "nonsense")?;
        refused([good, path_text(&bad)?], "bad.bc")
    }),
    ("no_module", |_| refused::<&str>([], "MODULE")),
    ("unknown_option", |folder| with_good(folder, &["--no-such-option"], "--no-such-option")),
    ("unknown_level", |folder| with_good(folder, &["-O7"], "'7'")),
    ("reach_without_number", |folder| with_good(folder, &["--reach", "far"], "far")),
    ("missing_library", |folder| {
        with_good(folder, &["-l", "there_is_no_such_library"], "there_is_no_such_library")
    }),
    ("missing_shared_object", |folder| {
        with_good(folder, &["--dlopen=/no/such/library.so"], "/no/such/library.so")
    }),
    ("bad_shared_object", |folder| {
        fs::write(folder.join("bad.so"), "nonsense")?;
        with_good(folder, &[&format!("--dlopen={}", path_text(&folder.join("bad.so"))?)], "bad.so")
    }),
    ("missing_entry", |folder| with_good(folder, &["--entry", "no_such_entry"], "no_such_entry")),
    ("data_as_entry", |folder| {
        let path = folder.join("data.ll");
        fs::write(&path, "@x = thread_local global i32 1\n")?;
        refused(["--entry".to_owned(), "x".to_owned(), path_text(&path)?], "x is data")
    }),
    ("unwritable_statistics", |folder| {
        with_good(folder, &["--stats=/no/such/folder/stats.json"], "/no/such/folder")
    }),
];

/// One trial for each bad input.
pub(crate) fn trials() -> Vec<Trial> {
    let files = FILES.iter().map(|&(name, file, bytes)| {
        Trial::test(format!("bad::{name}"), move || {
            verdict(name, |folder| {
                let path = folder.join(file);
                fs::write(&path, bytes(folder)?)?;
                refused([path_text(&path)?], file)
            })
        })
    });
    let commands = COMMANDS
        .iter()
        .map(|&(name, make)| Trial::test(format!("bad::{name}"), move || verdict(name, make)));
    files.chain(commands).collect()
}

fn verdict(name: &str, make: impl FnOnce(&Path) -> Result<Refused>) -> Result<(), Failed> {
    Ok(check(name, make).map_err(|error| format!("{error:#}"))?)
}

fn check(name: &str, make: impl FnOnce(&Path) -> Result<Refused>) -> Result<()> {
    let folder = scratch().join("bad").join(name);
    fs::create_dir_all(&folder)?;
    let refused = make(&folder)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmkit"));
    command.arg("run").args(&refused.arguments);
    let outcome = run(command, None, LIMIT)?;
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let context = format!("$ {}\n{stderr}", outcome.command);
    ensure!(outcome.end == End::Exit(2), "expected exit code 2, not {:?}\n{context}", outcome.end);
    ensure!(
        stderr.contains(&refused.named),
        "standard error does not name `{}`\n{context}",
        refused.named
    );
    ensure!(outcome.stdout.is_empty(), "something was written to standard output\n{context}");
    ensure!(!stderr.contains("panicked at"), "a panic is not a message\n{context}");
    Ok(())
}

fn refused<T: Into<String>>(
    arguments: impl IntoIterator<Item = T>,
    named: &str,
) -> Result<Refused> {
    Ok(Refused {
        arguments: arguments.into_iter().map(Into::into).collect(),
        named: named.to_owned(),
    })
}

/// A module without fault after `options`.
fn with_good(folder: &Path, options: &[&str], named: &str) -> Result<Refused> {
    let good = path_text(&good_file(folder)?)?;
    refused(options.iter().map(|option| (*option).to_owned()).chain(iter::once(good)), named)
}

fn good_file(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("good.ll");
    fs::write(&path, "define i32 @main() {\n  ret i32 0\n}\n")?;
    Ok(path)
}

fn path_text(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a path that is not Unicode")?.to_owned())
}
