//! Conversations with `kaleidoscope`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::example;

/// The compilers it can use, all of which give the same answers.
const BACKENDS: &[&str] = &[
    #[cfg(feature = "llvm")]
    "llvm",
    #[cfg(feature = "cranelift")]
    "cranelift",
];

/// What a program writes that is given `input`.
fn run(program: &Path, backend: &str, input: String) -> Output {
    let mut program = Command::new(program);
    program.arg(backend).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it was built");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it runs");
    // An example that has ended does not read all.
    let _ = writer.join().expect("it only writes");
    output
}

/// Has a conversation: lines that start with `> ` or `| ` are typed, the others expected.
fn check(file: &Path, program: &Path, backend: &str) {
    let text = fs::read_to_string(file).expect("the folder listed it");
    let typed = |line: &&str| line.starts_with("> ") || line.starts_with("| ");
    let (input, expected): (Vec<_>, Vec<_>) = text.lines().partition(typed);
    let input = input.iter().map(|line| format!("{}\n", &line[2..])).collect();
    let output = run(program, backend, input);
    let found = String::from_utf8(output.stdout).expect("text");
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{backend}: {}", file.display());
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{file:?}");
}

#[test]
fn answers_are_as_written_down() {
    let program = example("kaleidoscope");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let files = fs::read_dir(folder).expect("it is there").map(|file| file.expect("a name").path());
    let files: Vec<_> = files.collect();
    for backend in BACKENDS {
        files.iter().for_each(|file| check(file, &program, backend));
    }
    assert!(files.len() >= 5, "there are {} conversations", files.len());
}

#[test]
fn it_takes_no_more_memory_the_longer_it_runs() {
    BACKENDS.iter().for_each(|backend| check_memory(backend));
}

#[test]
fn wrong_usage_is_an_error() {
    let output = run(&example("kaleidoscope"), "gcc", String::new());
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(error.contains("usage: kaleidoscope ["), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

fn check_memory(backend: &str) {
    let lines = |count: usize| {
        let one = |n| format!("def f(x) x + {n}\nf({n})\n");
        (0..count).map(one).collect::<String>() + ":stats\n"
    };
    let output = run(&example("kaleidoscope"), backend, lines(20) + &lines(600)).stdout;
    let output = String::from_utf8(output).expect("text");
    let numbers = |what| output.lines().filter_map(move |line| line.strip_prefix(what));
    let code: Vec<_> = numbers("code: ").collect();
    assert_eq!((code.len(), code[0]), (2, code[1]));
    let modules = numbers("modules: ").map(|count| count.parse::<i32>().expect("a number"));
    let modules: Vec<_> = modules.collect();
    // A compile that is just ending may hold one more.
    assert!(modules.len() == 2 && modules[0].abs_diff(modules[1]) <= 2, "{modules:?}");
    assert_eq!(numbers("compiled: ").collect::<Vec<_>>(), ["40", "1240"]);
    assert!(output.contains("\n= 1198\n"), "the last line ran");
}
