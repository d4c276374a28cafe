//! Makes the bytes of bad input: noise, and what clang makes, cut or corrupted.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fs, iter};

use anyhow::{Context, Result, ensure};

use super::process::{End, run};
use super::sources;

/// How long a compiler may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The bytes of `text`.
pub(crate) fn text(text: &str) -> Result<Vec<u8>> {
    Ok(text.as_bytes().to_owned())
}

/// `start` and 64 KiB of pseudo-random bytes (a linear congruential generator, Knuth's MMIX).
pub(crate) fn garbage(start: &[u8]) -> Vec<u8> {
    let next = |state: &u64| {
        Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
    };
    let noise = iter::successors(Some(1), next).map(|state: u64| state.to_be_bytes()[0]);
    start.iter().copied().chain(noise.take(1 << 16)).collect()
}

/// The first `numerator / denominator` of `bytes`, and `more`.
pub(crate) fn cut(
    mut bytes: Vec<u8>,
    numerator: usize,
    denominator: usize,
    more: isize,
) -> Result<Vec<u8>> {
    let length = (bytes.len() * numerator / denominator).checked_add_signed(more);
    bytes.truncate(length.context("the cut is before the start")?);
    Ok(bytes)
}

/// A module of bitcode.
pub(crate) fn bitcode(folder: &Path) -> Result<Vec<u8>> {
    compile(folder, &["-O1", "-emit-llvm", "-c"])
}

/// A module of bitcode with attributes of four thousand millionth arguments, one bit from those of
/// functions: LLVM's reader wants tens of gigabytes for a list of all before.
pub(crate) fn far_attributes(folder: &Path) -> Result<Vec<u8>> {
    let mut bytes = compile(folder, &["-O0", "-emit-llvm", "-c", "-ffreestanding"])?;
    // All 32 bits, in pieces of five and one that says that more follow; the last has two.
    const ONES: usize = 6 * 6 + 2;
    let is_one = |&bit: &usize| bytes[bit / 8] & (1 << (bit % 8)) != 0;
    let ones =
        (0..8 * bytes.len() - ONES).find(|&first| (first..first + ONES).all(|bit| is_one(&bit)));
    let bit = ones.context("no attributes of functions")? + 14;
    bytes[bit / 8] ^= 1 << (bit % 8);
    Ok(bytes)
}

/// A relocatable object.
pub(crate) fn object(folder: &Path) -> Result<Vec<u8>> {
    compile(folder, &["-O1", "-c"])
}

/// What clang makes of a program that doesn't need any headers, or of a larger one.
pub(crate) fn compile(folder: &Path, flags: &[&str]) -> Result<Vec<u8>> {
    let source = if flags.contains(&"-ffreestanding") { "exit_code.c" } else { "compiler_flags.c" };
    let output = folder.join("whole");
    let mut command = Command::new("clang-22");
    command.arg("-w").args(flags).arg(sources().join(source)).arg("-o").arg(&output);
    made(command, &output)
}

/// An archive of one object.
pub(crate) fn archive(folder: &Path) -> Result<Vec<u8>> {
    object(folder)?;
    let output = folder.join("whole.a");
    let mut command = Command::new("llvm-ar-22");
    command.arg("rcS").arg(&output).arg(folder.join("whole"));
    made(command, &output)
}

/// An archive whose first member's header has `field` at `offset` (ar(5)).
pub(crate) fn corrupt_archive(folder: &Path, offset: usize, field: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = archive(folder)?;
    let start = b"!<arch>\n".len() + offset;
    bytes[start..start + field.len()].copy_from_slice(field);
    Ok(bytes)
}

fn made(command: Command, output: &Path) -> Result<Vec<u8>> {
    let outcome = run(command, None, LIMIT).context("clang-22 and llvm-ar-22 must be installed")?;
    ensure!(
        outcome.end == End::Exit(0),
        "$ {}\n{}",
        outcome.command,
        String::from_utf8_lossy(&outcome.stderr)
    );
    Ok(fs::read(output)?)
}
