//! Conversations with `kaleidoscope`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::example;

/// What a program writes that is given `input`.
fn run(program: &Path, input: String) -> Output {
    let mut program = Command::new(program);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it was built");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it runs");
    // An example that has ended does not read all.
    let _ = writer.join().expect("it only writes");
    output
}

/// Has a conversation: lines that start with `> ` or `| ` are typed, the others expected.
fn check(file: &Path, program: &Path) {
    let text = fs::read_to_string(file).expect("the folder listed it");
    let typed = |line: &&str| line.starts_with("> ") || line.starts_with("| ");
    let (input, expected): (Vec<_>, Vec<_>) = text.lines().partition(typed);
    let input = input.iter().map(|line| format!("{}\n", &line[2..])).collect();
    let output = run(program, input);
    let found = String::from_utf8(output.stdout).expect("text");
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{}", file.display());
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{file:?}");
}

#[test]
fn answers_are_as_written_down() {
    let program = example("kaleidoscope");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let files = fs::read_dir(folder).expect("it is there").map(|file| file.expect("a name").path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "txt"));
    let count = files.map(|file| check(&file, &program)).count();
    assert!(count >= 5, "there are {count} conversations");
}

#[test]
fn it_takes_no_more_memory_the_longer_it_runs() {
    let lines = |count: usize| {
        let one = |n| format!("def f(x) x + {n}\nf({n})\n");
        (0..count).map(one).collect::<String>() + ":stats\n"
    };
    let output = run(&example("kaleidoscope"), lines(20) + &lines(600)).stdout;
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
